dnl SPDX-License-Identifier: MIT
dnl WUTS_LIB_FCGI: libfcgi into FCGI_CFLAGS and FCGI_LIBS. pkg-config first,
dnl then the bare library (its .pc file is missing on some systems).
AC_DEFUN([WUTS_LIB_FCGI], [
PKG_CHECK_MODULES([FCGI], [fcgi],, [
	FCGI_LIBS=
	AC_CHECK_HEADER([fcgiapp.h], [
		AC_CHECK_LIB([fcgi], [FCGX_Accept_r], [FCGI_LIBS=-lfcgi])])
	AS_IF([test -z "$FCGI_LIBS"],
	    [AC_MSG_ERROR([libfcgi not found: install libfcgi-dev])])
	AC_SUBST([FCGI_CFLAGS])
	AC_SUBST([FCGI_LIBS])
])])
