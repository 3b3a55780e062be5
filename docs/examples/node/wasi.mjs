// The WASI interfaces that a connector component imports (`docs/embedding.md`): those of preview2-shim, and what Node
// hosts must add to it. Each addition says what goes wrong without it.

import { monotonicClock, wallClock } from '@bytecodealliance/preview2-shim/clocks';
import { outgoingHandler, types } from '@bytecodealliance/preview2-shim/http';
import { error, poll, streams } from '@bytecodealliance/preview2-shim/io';
import { random } from '@bytecodealliance/preview2-shim/random';

// The shim gives the connect time-out to Node's `timeout`, which is the time for which a socket may be silent. A long
// poll is silent for up to two minutes; it would be cut after the 30 s allowed for connecting.
types.RequestOptions.prototype.connectTimeout = types.RequestOptions.prototype.firstByteTimeout;

// An origin pattern of the contract: `*` stands for one or more labels of a host name, or for any port.
function pattern(origin) {
  const escaped = origin.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:\*$/, '(:\\d+)?').replace(/\*/g, '[\\w.-]+')}$`, 'i');
}

// The imports of an instance that may connect to `origins` and nowhere else: the shim connects anywhere.
export function wasi(origins) {
  const allowed = origins.map(pattern);
  const handle = (request, options) => {
    const scheme = request.scheme()?.tag === 'HTTP' ? 'http' : 'https';
    const origin = `${scheme}://${request.authority()}`;
    if (!allowed.some((one) => one.test(origin))) throw { tag: 'HTTP-request-denied' };
    return outgoingHandler.handle(request, options);
  };
  return {
    'wasi:clocks/monotonic-clock': monotonicClock,
    'wasi:clocks/wall-clock': wallClock,
    'wasi:http/outgoing-handler': { handle },
    'wasi:http/types': types,
    'wasi:io/error': error,
    'wasi:io/poll': poll,
    'wasi:io/streams': streams,
    'wasi:random/random': random,
  };
}
