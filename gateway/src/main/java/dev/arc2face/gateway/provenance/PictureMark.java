package dev.arc2face.gateway.provenance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.arc2face.gateway.image.EmbeddedXmp;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.xml.namespace.QName;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * What a picture's file says of where it comes from. Anybody may have written it there.
 *
 * @param digitalSourceType IPTC's, a URI
 * @param software that made it
 * @param models by name, version and hash
 * @param pictureId what its receipt calls it
 */
public record PictureMark(
        Optional<String> digitalSourceType,
        Optional<String> software,
        Optional<String> models,
        Optional<String> pictureId) {
    private static final int MAX_PACKET = 1 << 20;

    private static final QName DESCRIPTION = new QName(XmpPacket.RDF, "Description");

    /** Reads what is in the file; what is not there, or damaged, is empty. */
    public static PictureMark in(byte[] file) {
        Map<QName, String> properties = EmbeddedXmp.find(file)
                .filter(packet -> packet.length <= MAX_PACKET)
                .map(PictureMark::properties)
                .orElse(Map.of());
        return new PictureMark(
                Optional.ofNullable(properties.get(new QName(XmpPacket.IPTC_EXTENSION, "DigitalSourceType"))),
                Optional.ofNullable(properties.get(new QName(XmpPacket.XMP, "CreatorTool"))),
                Optional.ofNullable(properties.get(new QName(XmpPacket.IPTC_EXTENSION, "AISystemVersionUsed"))),
                Optional.ofNullable(properties.get(new QName(XmpPacket.IPTC_EXTENSION, "DigImageGUID"))));
    }

    /** Simple properties: attributes of descriptions, and elements in them that have nothing but text. */
    private static Map<QName, String> properties(byte[] packet) {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false); // no entities, which may be bombs or leave the machine
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        Map<QName, String> properties = new HashMap<>();
        try {
            String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(packet)).toString();
            XMLStreamReader reader = factory.createXMLStreamReader(new StringReader(text));
            QName element = DESCRIPTION; // the latest one that has begun
            String content = "";
            while (reader.hasNext()) {
                switch (reader.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        element = reader.getName();
                        content = "";
                        for (int i = 0; element.equals(DESCRIPTION) && i < reader.getAttributeCount(); i++) {
                            properties.putIfAbsent(reader.getAttributeName(i), reader.getAttributeValue(i));
                        }
                    }
                    case XMLStreamConstants.CHARACTERS -> content = reader.getText();
                    case XMLStreamConstants.END_ELEMENT -> {
                        if (reader.getName().equals(element)) {
                            properties.putIfAbsent(element, content.strip());
                        }
                        element = DESCRIPTION;
                    }
                    default -> {} // the packet's wrapper, comments
                }
            }
        } catch (CharacterCodingException | XMLStreamException damaged) {
            return Map.of();
        }
        return properties;
    }
}
