module.exports = {
    apps: [{name: 'parcels-ticker', script: 'node/server.js', cwd: __dirname}],
};
