<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class Parcel extends Model
{
    public $timestamps = false;

    protected $guarded = [];
}
