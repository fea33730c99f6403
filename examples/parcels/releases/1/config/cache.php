<?php

// The signal to restart the workers goes by the cache, so all releases must have the same: it lies in storage/.
return [
    'default' => 'file',
    'stores' => ['file' => ['driver' => 'file', 'path' => storage_path('framework/cache/data')]],
    'prefix' => 'parcels',
];
