<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

// Ada has two parcels: by the time MariaDB says so, the names are rewritten and the new table stands.
return new class extends Migration
{
    public function up(): void
    {
        Schema::create('couriers', function (Blueprint $table) {
            $table->id();
            $table->string('name');
        });

        DB::table('parcels')->update(['recipient' => DB::raw('LOWER(recipient)')]);

        Schema::table('parcels', function (Blueprint $table) {
            $table->unique('recipient');
        });
    }
};
