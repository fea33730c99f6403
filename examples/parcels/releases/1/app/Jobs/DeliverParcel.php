<?php

namespace App\Jobs;

use App\Models\Parcel;
use App\Release;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;

class DeliverParcel implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    public function __construct(private int $parcel)
    {
    }

    public function handle(): void
    {
        // By which release's worker: after a deployment, no worker of the old one may be left.
        Parcel::findOrFail($this->parcel)->update(['delivered_by' => Release::name()]);
    }
}
