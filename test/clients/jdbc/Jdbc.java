import java.sql.*;
import java.util.Properties;

// The JDBC driver on client-v2: metadata, prepared statements, batches, types, errors.
public class Jdbc {
    static void expect(Object got, Object want) {
        if (!String.valueOf(got).equals(String.valueOf(want))) throw new AssertionError("got " + got + ", want " + want);
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:clickhouse://127.0.0.1:" + System.getenv("OLAPD_HTTP_PORT") + "/default";
        try (Connection c = DriverManager.getConnection(url, new Properties()); Statement s = c.createStatement()) {
            expect(c.isValid(5), true);
            s.execute("DROP TABLE IF EXISTS jdbc");
            s.execute("CREATE TABLE jdbc (k UInt32, v String, n Nullable(Float64), t DateTime, d Decimal(10, 2), a Array(Int32)) ENGINE = MergeTree ORDER BY k");
            try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc (k, v, n, t, d, a) VALUES (?, ?, ?, ?, ?, ?)")) {
                for (int i = 0; i < 100; i++) {
                    p.setInt(1, i);
                    p.setString(2, "it's " + i);
                    if (i % 2 == 0) p.setDouble(3, i / 2.0); else p.setNull(3, Types.DOUBLE);
                    p.setTimestamp(4, Timestamp.valueOf("2024-01-02 03:04:05"));
                    p.setBigDecimal(5, new java.math.BigDecimal("1.25"));
                    p.setObject(6, new int[] {1, i});
                    p.addBatch();
                }
                p.executeBatch();
            }
            try (PreparedStatement p = c.prepareStatement("SELECT count(), sum(k), countIf(n IS NULL), max(v), sum(d) FROM jdbc WHERE k >= ?")) {
                p.setInt(1, 10);
                try (ResultSet r = p.executeQuery()) {
                    expect(r.next(), true);
                    expect(r.getLong(1), 90);
                    expect(r.getLong(2), 4905);
                    expect(r.getLong(3), 45);
                    expect(r.getString(4), "it's 99");
                    expect(r.getBigDecimal(5), "112.50");
                }
            }
            try (ResultSet r = s.executeQuery("SELECT * FROM jdbc ORDER BY k LIMIT 2")) {
                ResultSetMetaData m = r.getMetaData();
                expect(m.getColumnCount(), 6);
                expect(m.getColumnName(2), "v");
                r.next();
                r.next();
                expect(r.getObject(3), null);
                expect(r.getTimestamp(4), "2024-01-02 03:04:05.0");
            }
            DatabaseMetaData d = c.getMetaData();
            try (ResultSet r = d.getTables(null, "default", "jdbc", null)) {
                expect(r.next(), true);
                expect(r.getString("TABLE_NAME"), "jdbc");
            }
            try (ResultSet r = d.getColumns(null, "default", "jdbc", null)) {
                int n = 0;
                while (r.next()) n++;
                expect(n, 6);
            }
            try {
                s.executeQuery("SELECT * FROM nowhere");
                throw new AssertionError("no error");
            } catch (SQLException e) {
                if (!e.getMessage().contains("UNKNOWN_TABLE")) throw new AssertionError(e); // the driver sets no vendor code
            }
            s.execute("DROP TABLE jdbc");
        }
    }
}
