<?php

namespace App\Http\Controllers;

use App\Jobs\DeliverParcel;
use App\Models\Parcel;
use App\Release;

class ParcelController
{
    public function index()
    {
        return view('parcels', ['parcels' => Parcel::orderBy('id')->get(), 'release' => Release::name()]);
    }

    public function send(string $code)
    {
        $parcel = Parcel::create(['code' => $code, 'recipient' => 'Grace']);
        DeliverParcel::dispatch($parcel->id);

        return response()->json(['code' => $code], 202);
    }
}
