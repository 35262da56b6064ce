import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Properties;

/** JDBC: tables by metadata, a parameter, the question. Prints the rows as JSON. */
class Jdbc {
  public static void main(String[] arguments) throws Exception {
    var properties = new Properties();
    properties.setProperty("user", System.getenv("LANEWATCH_CLICKHOUSE_USER"));
    properties.setProperty("password", System.getenv("LANEWATCH_ANALYST_PASSWORD"));
    var url = "jdbc:clickhouse:" + System.getenv("LANEWATCH_CLICKHOUSE_URL") + "/" + System.getenv("LANEWATCH_CLICKHOUSE_DATABASE");
    try (var connection = DriverManager.getConnection(url, properties)) {
      var isListed = false;
      try (var tables = connection.getMetaData().getTables(null, null, "usage", null)) {
        while (tables.next()) isListed |= tables.getString("TABLE_NAME").equals("usage");
      }
      if (!isListed) throw new IllegalStateException("usage is not listed");
      var lines = new ArrayList<String>();
      var last = "";
      var lastCalls = 0L;
      try (var statement = connection.createStatement()) {
        statement.setQueryTimeout(20);
        var rows = statement.executeQuery(Files.readString(Path.of(arguments[0])));
        while (rows.next()) {
          last = rows.getString("person");
          lastCalls = rows.getLong("requests");
          lines.add("[\"%s\",%d,\"%s\"]".formatted(last, lastCalls, rows.getBigDecimal("usd").toPlainString()));
        }
      }
      try (var prepared = connection.prepareStatement("SELECT sum(calls) FROM usage WHERE person = ?")) {
        prepared.setString(1, last);
        var one = prepared.executeQuery();
        one.next();
        if (one.getLong(1) != lastCalls) throw new IllegalStateException("the parameter was not taken");
      }
      System.out.println("[" + String.join(",", lines) + "]");
    }
  }
}
