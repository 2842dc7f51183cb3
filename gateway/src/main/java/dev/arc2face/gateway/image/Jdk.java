package dev.arc2face.gateway.image;

import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriter;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.spi.ImageReaderWriterSpi;
import javax.imageio.spi.ImageWriterSpi;

/** The JDK's own codecs, whatever other plug-ins are on the class path and whichever the registry would prefer. */
final class Jdk {
    private Jdk() {}

    static ImageReader reader(String format) {
        try {
            return provider(ImageReaderSpi.class, format).createReaderInstance();
        } catch (IOException e) {
            throw new IllegalStateException("no " + format + " reader", e);
        }
    }

    static ImageWriter writer(String format) {
        try {
            return provider(ImageWriterSpi.class, format).createWriterInstance();
        } catch (IOException e) {
            throw new IllegalStateException("no " + format + " writer", e);
        }
    }

    private static <T extends ImageReaderWriterSpi> T provider(Class<T> kind, String format) {
        Iterator<T> providers = IIORegistry.getDefaultInstance().getServiceProviders(kind, false);
        while (providers.hasNext()) {
            T provider = providers.next();
            if (provider.getClass().getModule() == ImageIO.class.getModule()
                    && Arrays.asList(provider.getFormatNames()).contains(format)) {
                return provider;
            }
        }
        throw new IllegalStateException("this JDK has no codec for " + format);
    }
}
