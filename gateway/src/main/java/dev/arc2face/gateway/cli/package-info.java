/**
 * The command-line client: parses, calls the public API, shows what happens. It knows the wire contract and nothing of
 * the server, so that it starts without one.
 */
@NullMarked
package dev.arc2face.gateway.cli;

import org.jspecify.annotations.NullMarked;
