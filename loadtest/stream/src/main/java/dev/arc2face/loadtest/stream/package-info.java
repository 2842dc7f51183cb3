/**
 * A load tester of the gateway's streams that measures what a progress page feels. On the way of a request: {@link
 * Arrivals} says when it is meant to start, {@link OpenLoop} or {@link ClosedLoop} starts it then, {@link RequestMix} says
 * what it asks for, {@link StreamCall} makes it, {@link Timeline} takes its times, {@link Recording} keeps them, {@link
 * Table} and {@link JsonReport} show them.
 */
@NullMarked
package dev.arc2face.loadtest.stream;

import org.jspecify.annotations.NullMarked;
