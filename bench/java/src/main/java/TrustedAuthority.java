import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

/** A certificate authority that this process trusts: by the JVM's own settings, so that Camunda's connector finds it as well. */
final class TrustedAuthority {
  private static final String PASSWORD = "changeit";

  private TrustedAuthority() {}

  /** It has to be called before the first TLS connection. */
  static void trust(Path pem) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (var stream = Files.newInputStream(pem)) {
      int number = 0;
      for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
        store.setCertificateEntry("authority-" + number++, certificate);
      }
    }
    var file = Files.createTempFile("bench-authority-", ".p12");
    file.toFile().deleteOnExit();
    try (var stream = Files.newOutputStream(file)) {
      store.store(stream, PASSWORD.toCharArray());
    }
    System.setProperty("javax.net.ssl.trustStore", file.toString());
    System.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
    System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
  }
}
