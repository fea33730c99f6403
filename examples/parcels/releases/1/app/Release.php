<?php

namespace App;

class Release
{
    /** The release whose code this is, by a file that lies beside it: neither a cache nor the environment can be wrong. */
    public static function name(): string
    {
        return trim(file_get_contents(dirname(__DIR__).'/RELEASE'));
    }
}
