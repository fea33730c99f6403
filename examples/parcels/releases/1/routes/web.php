<?php

use App\Http\Controllers\HealthController;
use App\Http\Controllers\ParcelController;
use Illuminate\Support\Facades\Route;

Route::get('/', [ParcelController::class, 'index']);
Route::post('/parcels/{code}', [ParcelController::class, 'send']);
Route::get('/health', HealthController::class);
