package dev.arc2face.gateway.rest;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;

/** Where the page comes from that has sent a request, as far as its browser tells. */
final class Sites {
    private Sites() {}

    /**
     * Whether a page of another site has sent it, which needs no preflight for a form, nor an answer that it may read:
     * as its browser says or, where that is too old to say, by whether the page comes from this very address.
     */
    static boolean isElsewhere(HttpServerRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        if (site != null) {
            return !site.equals("same-origin") && !site.equals("none");
        }
        String origin = request.getHeader(HttpHeaderNames.ORIGIN);
        String host = request.authority() == null ? "" : request.authority().toString();
        return origin != null && !origin.replaceFirst("^https?://", "").equalsIgnoreCase(host);
    }

    /**
     * Whether it was sent to a name that somebody may have given this machine: to a browser, the page of such a site comes
     * from here (DNS rebinding). Only browsers count, and they all send a Host.
     */
    static boolean isAtAName(HttpServerRequest request) {
        HostAndPort authority = request.authority();
        if (authority == null) {
            return request.getHeader(HttpHeaderNames.HOST) != null; // which cannot be read
        }
        String host = authority.host();
        return !host.equalsIgnoreCase("localhost")
                && !NetUtil.isValidIpV4Address(host)
                && !NetUtil.isValidIpV6Address(host);
    }
}
