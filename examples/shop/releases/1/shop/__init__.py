import pymysql

# PyMySQL stands in for mysqlclient, so that nothing must be compiled. Django refuses a MySQLdb that calls itself
# older than the mysqlclient it was tested with, hence the version of that one.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()
