<?php

namespace App\Http\Controllers;

use App\Models\Parcel;
use App\Release;

class HealthController
{
    public function __invoke()
    {
        return response()->json([
            'release' => Release::name(),
            'undelivered' => Parcel::whereNull('delivered_by')->count(),
        ]);
    }
}
