import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** The JDBC driver of Arrow Flight SQL: see check.py for what is asked of a client. */
public final class Jdbc {
    static void need(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static int count(ResultSet rows) throws SQLException {
        int count = 0;
        try (rows) {
            while (rows.next()) count++;
        }
        return count;
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:arrow-flight-sql://" + arguments[0] + ":" + arguments[1] + "/?useEncryption=false";
        try (Connection connection = DriverManager.getConnection(url, "public", "");
                Statement statement = connection.createStatement()) {
            need(count(statement.executeQuery("select code from reference.province")) > 3, "public");
        }
        try (Connection connection = DriverManager.getConnection(url, "analyst", arguments[2] + "0")) {
            throw new AssertionError("a wrong key");
        } catch (SQLException error) {
            need(String.valueOf(error.getMessage() + error.getCause()).contains("no key and no password that is known"), error.toString());
        }
        try (Connection connection = DriverManager.getConnection(url, "analyst", arguments[2])) {
            try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("select 1")) {
                need(rows.next() && rows.getInt(1) == 1, "select 1");
            }
            System.out.println("connect");
            tables(connection);
            System.out.println("tables");
            typed(connection, arguments[3].replaceFirst("\\{}", "?").replaceFirst("\\{}", "?"));
            try (Connection other = DriverManager.getConnection(url + "&amanat-companions=true", "analyst", arguments[2]);
                    Statement statement = other.createStatement();
                    ResultSet rows = statement.executeQuery("select count(*) as n from victims where year = 2024")) {
                need(rows.getMetaData().getColumnCount() > 1 && rows.next(), "companions");
            }
            System.out.println("typed");
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery(arguments[4]);
                throw new AssertionError("answered");
            } catch (SQLException error) {
                need(error.getMessage().contains("PRIV-1003"), error.getMessage());
                need(error.getMessage().contains("Hint: Write count(*), with GROUP BY"), error.getMessage());
            }
            System.out.println("refusal");
            cancelled(connection, arguments[5]);
        }
    }

    static void tables(Connection connection) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        try (ResultSet rows = metadata.getTables(null, "published", "v01", null)) {
            need(rows.next() && rows.getString("TABLE_TYPE").equals("TABLE") && !rows.next(), "v01 alone");
        }
        try (ResultSet rows = metadata.getColumns(null, "published", "v01", "province")) {
            need(rows.next() && rows.getString("COLUMN_NAME").equals("province"), "a column");
            String remarks = rows.getString("REMARKS");
            need(remarks.contains("codes in reference.province"), "a column's comment: " + remarks);
        }
        need(count(metadata.getSchemas()) > 2 && count(metadata.getCatalogs()) == 1, "schemas");
        need(count(metadata.getTableTypes()) == 2, "types");
        need(count(metadata.getPrimaryKeys(null, "published", "v01")) == 0, "keys");
        need(count(metadata.getImportedKeys(null, "published", "v01")) == 0, "keys");
        need(count(metadata.getExportedKeys(null, "published", "v01")) == 0, "keys");
        need(count(metadata.getCrossReference(null, "published", "v01", null, "published", "c01")) == 0, "keys");
        need(metadata.isReadOnly() && !metadata.supportsTransactions() && !metadata.supportsSavepoints(), "read only");
        need(metadata.getDatabaseProductName().equals("Amanat"), metadata.getDatabaseProductName());
        need(metadata.getNumericFunctions().contains("round"), metadata.getNumericFunctions());
        // Whatever a tool asks when it connects must have an answer.
        for (java.lang.reflect.Method method : DatabaseMetaData.class.getMethods()) {
            boolean isAFact = method.getParameterCount() == 0 && method.getDeclaringClass() == DatabaseMetaData.class
                    && !ResultSet.class.isAssignableFrom(method.getReturnType());
            if (!isAFact) continue;
            try {
                method.invoke(metadata);
            } catch (java.lang.reflect.InvocationTargetException error) {
                need(error.getCause() instanceof java.sql.SQLFeatureNotSupportedException, method.getName() + ": " + error.getCause());
            } catch (IllegalAccessException error) {
                throw new AssertionError(error);
            }
        }
    }

    static void typed(Connection connection, String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            need(statement.getMetaData().getColumnCount() == 2, "columns before there are values");
            for (int time = 0; time < 3; time++) {
                statement.setInt(1, 2024);
                statement.setString(2, "F");
                boolean found = false;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) found |= rows.getString(1).equals("PK-PB") && rows.getLong(2) > 0;
                }
                need(found, "typed");
            }
        }
        String dated = "select value, as_of from published.v01 where as_of > ? and value > ? limit 3";
        try (PreparedStatement statement = connection.prepareStatement(dated)) {
            statement.setDate(1, Date.valueOf("2020-01-01"));
            statement.setBigDecimal(2, new java.math.BigDecimal("1.500000"));
            try (ResultSet rows = statement.executeQuery()) {
                need(rows.next() && rows.getBigDecimal(1).signum() > 0 && rows.getDate(2) != null, "a date and a decimal");
            }
        }
    }

    static void cancelled(Connection connection, String sql) throws SQLException {
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
            try (ResultSet rows = statement.executeQuery(sql)) {
                rows.next();
            }
            System.out.println("answered");
        } catch (SQLException error) {
            System.out.println((error.getMessage() + " " + error.getCause()).replace('\n', ' '));
        }
    }
}
