// Loaded into the language server before anything else: whoever opens a connection or asks for an address is told off,
// and named on stderr.
const net = require("net");
const dns = require("dns");

function refuse(what) {
  process.stderr.write(`NETWORK ${what}\n`);
  throw new Error(`no network: ${what}`);
}

net.Socket.prototype.connect = (...given) => refuse(`connect ${JSON.stringify(given[0])}`);
dns.lookup = (host) => refuse(`lookup ${host}`);
dns.promises.lookup = (host) => refuse(`lookup ${host}`);
