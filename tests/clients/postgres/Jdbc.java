import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.util.PSQLException;

/** PostgreSQL's JDBC driver: see check.py for what is asked of a client. */
public final class Jdbc {
    static void need(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://" + arguments[0] + ":" + arguments[1] + "/amanat";
        try (Connection connection = DriverManager.getConnection(url, "analyst", arguments[2])) {
            try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("select 1")) {
                need(rows.next() && rows.getInt(1) == 1, "select 1");
            }
            System.out.println("connect");
            DatabaseMetaData metadata = connection.getMetaData();
            try (ResultSet rows = metadata.getTables(null, "published", "v01", null)) {
                need(rows.next() && rows.getString("REMARKS").contains("Victims identified"), "a comment");
            }
            try (ResultSet rows = metadata.getColumns(null, "published", "v01", "province")) {
                need(rows.next() && rows.getString("REMARKS").contains("codes in reference.province"), "a column's comment");
            }
            for (ResultSet rows : new ResultSet[] {metadata.getSchemas(), metadata.getCatalogs(), metadata.getTypeInfo(),
                    metadata.getPrimaryKeys(null, "published", "v01"), metadata.getImportedKeys(null, "published", "v01"),
                    metadata.getIndexInfo(null, "published", "v01", false, true), metadata.getFunctions(null, null, "%")}) {
                rows.next();
                rows.close();
            }
            System.out.println("tables");
            String typed = arguments[3].replaceFirst("\\{}", "?").replaceFirst("\\{}", "?");
            // Past the fifth time the driver prepares on the server and asks for binary results.
            try (PreparedStatement statement = connection.prepareStatement(typed)) {
                for (int time = 0; time < 7; time++) {
                    statement.setInt(1, 2024);
                    statement.setString(2, "F");
                    boolean found = false;
                    try (ResultSet rows = statement.executeQuery()) {
                        while (rows.next()) found |= rows.getString(1).equals("PK-PB") && rows.getLong(2) > 0;
                    }
                    need(found, "typed");
                }
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(3);
                int count = 0;
                try (ResultSet rows = statement.executeQuery("select code from reference.province")) {
                    while (rows.next()) count++;
                }
                need(count > 3, "fetch size");
            }
            connection.commit();
            connection.setAutoCommit(true);
            System.out.println("typed");
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery(arguments[4]);
                throw new AssertionError("answered");
            } catch (PSQLException error) {
                need(error.getSQLState().equals("PV003"), error.getSQLState());
                need(error.getServerErrorMessage().getHint().contains("Write count(*), with GROUP BY"), "the hint");
            }
            System.out.println("refusal");
            try (Statement statement = connection.createStatement()) {
                Thread ending = new Thread(() -> {
                    try {
                        System.in.read();
                        statement.cancel();
                    } catch (Exception error) {
                        error.printStackTrace();
                    }
                });
                ending.setDaemon(true);
                ending.start();
                System.out.println("run");
                statement.executeQuery(arguments[5]);
                System.out.println("answered");
            } catch (SQLException error) {
                System.out.println(error.getSQLState() + " " + error.getMessage());
            }
        }
    }
}
