import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * DynamoDB Local on 127.0.0.1 only (by itself it listens on every address), ended when its standard input ends.
 * Takes a free port and prints "port N" once it serves.
 *
 * Compiled, in the folder of DynamoDBLocal.jar, by:
 * javac --release 17 -g:none -cp 'DynamoDBLocal.jar:DynamoDBLocal_lib/*' -d DESTINATION LoopbackDynamoDb.java
 */
public final class LoopbackDynamoDb {
    public static void main(String[] arguments) throws Exception {
        DynamoDBProxyServer proxy = ServerRunner.createServerFromCommandLineArgs(arguments);
        ServerConnector connector = connectorOf(proxy);
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        proxy.start();
        System.out.println("port " + connector.getLocalPort());
        while (System.in.read() >= 0) {}
        System.exit(0);
    }

    private static ServerConnector connectorOf(DynamoDBProxyServer proxy) throws ReflectiveOperationException {
        Field server = DynamoDBProxyServer.class.getDeclaredField("server");
        server.setAccessible(true);
        return (ServerConnector) ((Server) server.get(proxy)).getConnectors()[0];
    }
}
