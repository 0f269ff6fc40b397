import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;

/**
 * Camunda's connector runtime as a program: a job worker of its own, which knows one connector, {@link Rest}.
 *
 * <p>Component scan is off: in the default package it would read the whole class path. The arguments are those of Spring Boot.
 */
@EnableAutoConfiguration
public class ConnectorRuntime {
  public static void main(String[] arguments) {
    SpringApplication.run(ConnectorRuntime.class, arguments);
  }
}
