package dev.arc2face.gateway.provenance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.parsers.SAXParserFactory;
import org.xml.sax.Attributes;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/**
 * The simple properties of an XMP packet that anybody may have written: attributes of descriptions, and elements that have
 * nothing but text. Of several of a name the first one counts; a packet that is no XML has none.
 */
final class XmpProperties extends DefaultHandler {
    private static final int MAX_PACKET = 1 << 20;

    private static final String DESCRIPTION = "Description";

    private final Map<String, String> found = new HashMap<>();
    private final StringBuilder content = new StringBuilder();
    private boolean simple; // whether the latest element that began may be one

    private XmpProperties() {}

    static XmpProperties of(byte[] packet) {
        XmpProperties properties = new XmpProperties();
        if (packet.length > MAX_PACKET) {
            return properties;
        }
        SAXParserFactory factory = SAXParserFactory.newDefaultNSInstance();
        try {
            // No document type: no entities, which may be bombs or lead out of this machine.
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(packet)).toString();
            factory.newSAXParser().parse(new InputSource(new StringReader(text)), properties);
        } catch (IOException | SAXException damaged) {
            properties.found.clear();
        } catch (ParserConfigurationException impossible) {
            throw new IllegalStateException(impossible);
        }
        return properties;
    }

    Optional<String> get(String namespace, String name) {
        return Optional.ofNullable(found.get(key(namespace, name)));
    }

    @Override
    public void startElement(String namespace, String name, String qualifiedName, Attributes attributes) {
        if (namespace.equals(XmpPacket.RDF) && name.equals(DESCRIPTION)) {
            for (int i = 0; i < attributes.getLength(); i++) {
                found.putIfAbsent(key(attributes.getURI(i), attributes.getLocalName(i)), attributes.getValue(i));
            }
        }
        content.setLength(0);
        simple = true;
    }

    @Override
    public void characters(char[] text, int start, int length) {
        content.append(text, start, length);
    }

    @Override
    public void endElement(String namespace, String name, String qualifiedName) {
        if (simple) {
            found.putIfAbsent(key(namespace, name), content.toString().strip());
        }
        simple = false;
    }

    private static String key(String namespace, String name) {
        return namespace + " " + name;
    }
}
