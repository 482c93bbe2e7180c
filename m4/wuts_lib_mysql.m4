dnl SPDX-License-Identifier: MIT
dnl WUTS_LIB_MYSQL: a MySQL client into MYSQL_CFLAGS and MYSQL_LIBS: Oracle's
dnl libmysqlclient or MariaDB Connector/C, whichever pkg-config knows, then
dnl their config scripts. --with-mysql=mysqlclient or =mariadb asks for one.
AC_DEFUN([WUTS_LIB_MYSQL], [
AC_ARG_WITH([mysql],
    [AS_HELP_STRING([--with-mysql=WHICH],
        [mysqlclient (Oracle's), mariadb (Connector/C) or any @<:@any@:>@])],
    [], [with_mysql=any])
mysql_found=no
AS_CASE([$with_mysql], [any|mysqlclient|mariadb], [],
    [AC_MSG_ERROR([--with-mysql takes mysqlclient, mariadb or any])])
AS_IF([test $with_mysql != mariadb],
    [PKG_CHECK_MODULES([MYSQL], [mysqlclient], [mysql_found=libmysqlclient],
        [:])])
AS_IF([test $mysql_found = no && test $with_mysql != mysqlclient],
    [PKG_CHECK_MODULES([MYSQL], [libmariadb], [mysql_found=libmariadb], [:])])
AS_IF([test $mysql_found = no], [
	AC_PATH_PROGS([MYSQL_CONFIG], [mysql_config mariadb_config])
	AS_IF([test -n "$MYSQL_CONFIG"], [
		MYSQL_CFLAGS=`$MYSQL_CONFIG --include`
		MYSQL_LIBS=`$MYSQL_CONFIG --libs`
		mysql_found=$MYSQL_CONFIG
		AC_SUBST([MYSQL_CFLAGS])
		AC_SUBST([MYSQL_LIBS])])])
AS_IF([test $mysql_found = no],
    [AC_MSG_ERROR([no MySQL client library found: install default-libmysqlclient-dev])])
dnl libmysqlclient 8 dropped my_bool for bool; MariaDB keeps it.
wuts_save_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $MYSQL_CFLAGS"
AC_CHECK_TYPES([my_bool],,, [[#include <mysql.h>]])
CFLAGS=$wuts_save_CFLAGS
])
