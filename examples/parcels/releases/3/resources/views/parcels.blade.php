<!doctype html>
<title>Parcels</title>
<h1>Parcels on their way</h1>
<ul>
@foreach ($parcels as $parcel)
    <li>{{ $parcel->code }} for {{ $parcel->recipient }}</li>
@endforeach
</ul>
<p>Release {{ $release }}</p>
