dnl SPDX-License-Identifier: MIT
dnl WUTS_PROG_PYTEST: a python3 that has pytest, requests and jsonschema into PYTHON; the
dnl first on PATH may be one without the distribution's packages.
AC_DEFUN([WUTS_PROG_PYTEST], [
AC_ARG_VAR([PYTHON], [python3 with pytest, requests and jsonschema, for the end-to-end tests])
AC_CACHE_CHECK([for python3 with pytest, requests and jsonschema], [wuts_cv_python], [
	wuts_cv_python=no
	for python in $PYTHON python3 /usr/bin/python3 /usr/local/bin/python3; do
		AS_IF([$python -c 'import jsonschema, pytest, requests' >/dev/null 2>&1],
		    [wuts_cv_python=$python; break])
	done])
AS_IF([test "$wuts_cv_python" = no], [PYTHON=], [PYTHON=$wuts_cv_python])
])
