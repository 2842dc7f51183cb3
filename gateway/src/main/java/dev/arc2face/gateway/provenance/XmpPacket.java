package dev.arc2face.gateway.provenance;

import static java.util.stream.Collectors.joining;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The XMP packet of a picture (ISO 16684-1): that it was made by a trained algorithm, by which software and which models,
 * and its id, in the terms of IPTC's photo metadata standard (2025.1). It has no time and no padding: the same picture has
 * the same bytes.
 */
public final class XmpPacket {
    static final String RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    static final String XMP = "http://ns.adobe.com/xap/1.0/";
    static final String IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";

    /** Made by a model that learned from samples: IPTC's term for pictures of generative AI. */
    public static final String TRAINED_ALGORITHMIC_MEDIA =
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    private static final String COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA =
            "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

    /** Without a version: that of the gateway is in the receipt, so that an upgrade changes no picture's bytes. */
    static final String SOFTWARE = "Arc2Face model server";

    private XmpPacket() {}

    /** Of a finished portrait. */
    public static byte[] of(Origin origin, String pictureId) {
        Map<String, String> properties = madeAs(TRAINED_ALGORITHMIC_MEDIA);
        properties.put("Iptc4xmpExt:AISystemUsed", "Arc2Face, " + origin.profile() + ", " + origin.variant());
        properties.put(
                "Iptc4xmpExt:AISystemVersionUsed",
                origin.networks().stream().map(Network::toString).collect(joining(", ")));
        properties.put("Iptc4xmpExt:DigImageGUID", pictureId);
        return packet(properties);
    }

    /** Of a picture that is in no receipt: a preview, a crop of a portrait. */
    public static byte[] ofPictureWithoutId() {
        return packet(madeAs(TRAINED_ALGORITHMIC_MEDIA));
    }

    /** Of a sheet that shows portraits beside other pictures. */
    public static byte[] ofComposite() {
        return packet(madeAs(COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA));
    }

    private static Map<String, String> madeAs(String digitalSourceType) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("xmp:CreatorTool", SOFTWARE);
        properties.put("Iptc4xmpExt:DigitalSourceType", digitalSourceType);
        return properties;
    }

    /** Read-only, as a PNG's must be: whoever changes it must know the file's format. */
    private static byte[] packet(Map<String, String> properties) {
        String elements = properties.entrySet().stream()
                .map(property ->
                        "<" + property.getKey() + ">" + escaped(property.getValue()) + "</" + property.getKey() + ">\n")
                .collect(joining());
        return ("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                        + "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
                        + "<rdf:RDF xmlns:rdf=\"" + RDF + "\">\n"
                        + "<rdf:Description rdf:about=\"\" xmlns:xmp=\"" + XMP + "\" xmlns:Iptc4xmpExt=\""
                        + IPTC_EXTENSION + "\">\n"
                        + elements
                        + "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** What a model server calls its models is its own to choose. */
    private static String escaped(String text) {
        return text.replaceAll("\\p{Cntrl}", " ")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;");
    }
}
