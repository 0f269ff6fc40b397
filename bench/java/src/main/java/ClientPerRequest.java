import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.io.SocketConfig;

/**
 * As Camunda's http-client module 8.8 does it (ProxyAwareHttpClient): a new client, and so a new connection, for each request.
 *
 * <p>Each connection leaves an ephemeral port in TIME_WAIT for a minute. On loopback, Linux uses such a port again after a second only where {@code
 * net.ipv4.tcp_tw_reuse} is 1 or 2; otherwise 28,000 ports last for about 470 calls a second, and a longer run at a higher rate fails.
 */
final class ClientPerRequest implements Client {
  @Override
  public String call(String job) throws Exception {
    var connections = new PoolingHttpClientConnectionManager();
    connections.setDefaultSocketConfig(SocketConfig.custom().setSoKeepAlive(true).build());
    var timeouts =
        RequestConfig.custom().setConnectionRequestTimeout(SharedClient.TIMEOUT).setResponseTimeout(SharedClient.TIMEOUT).build();
    try (var client =
        HttpClients.custom()
            .setConnectionManager(connections)
            .setDefaultRequestConfig(timeouts)
            .useSystemProperties()
            .disableRedirectHandling()
            .build()) {
      return client.execute(Exchange.request(job), Exchange::result);
    }
  }
}
