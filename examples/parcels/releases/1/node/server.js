// The ticker beside the shop window: says which release's code it is, by where that lies.
const http = require('http');
const path = require('path');

const release = path.basename(path.dirname(__dirname));

http.createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({release}));
}).listen(8081, '127.0.0.1');
