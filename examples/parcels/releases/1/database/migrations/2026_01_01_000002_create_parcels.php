<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('parcels', function (Blueprint $table) {
            $table->id();
            $table->string('code')->unique();
            $table->string('recipient');
            $table->string('delivered_by')->nullable();
        });

        DB::table('parcels')->insert([
            ['code' => 'P-1', 'recipient' => 'Ada'],
            ['code' => 'P-2', 'recipient' => 'Emmy'],
            ['code' => 'P-3', 'recipient' => 'Ada'],
        ]);
    }
};
