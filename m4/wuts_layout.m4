dnl SPDX-License-Identifier: MIT
dnl WUTS_LAYOUT: below --prefix=/usr configuration, state and run-time files
dnl belong to /etc, /var and /run (FHS), unless the caller says otherwise; below
dnl any other prefix, /usr/local or a home directory, all stay inside it. Also
dnl where the files for systemd and bash go; both find these below /usr/local,
dnl too.
AC_DEFUN([WUTS_LAYOUT], [
AS_IF([test "x$prefix" = x/usr], [
	AS_IF([test "x$sysconfdir" = 'x${prefix}/etc'], [sysconfdir=/etc])
	AS_IF([test "x$localstatedir" = 'x${prefix}/var'],
	    [localstatedir=/var])
	AS_IF([test "x$runstatedir" = 'x${localstatedir}/run'],
	    [runstatedir=/run])
])
AC_ARG_WITH([systemdsystemunitdir],
    [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
        [where systemd's units go, or no @<:@PREFIX/lib/systemd/system@:>@])],
    [], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
AS_CASE([$with_systemdsystemunitdir],
    [yes], [systemdsystemunitdir='${prefix}/lib/systemd/system'],
    [no], [systemdsystemunitdir=],
    [systemdsystemunitdir=$with_systemdsystemunitdir])
AC_SUBST([systemdsystemunitdir])
AM_CONDITIONAL([WITH_UNITS], [test -n "$systemdsystemunitdir"])
AC_ARG_WITH([bashcompletiondir],
    [AS_HELP_STRING([--with-bashcompletiondir=DIR],
        [where bash's completions go
         @<:@DATADIR/bash-completion/completions@:>@])],
    [bashcompletiondir=$with_bashcompletiondir],
    [bashcompletiondir='${datadir}/bash-completion/completions'])
AC_SUBST([bashcompletiondir])
])
