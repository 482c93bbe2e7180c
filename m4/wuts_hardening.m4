dnl SPDX-License-Identifier: MIT
dnl WUTS_HARDENING: warnings and hardening that this compiler accepts, into
dnl WUTS_CFLAGS and WUTS_LDFLAGS. The user's CFLAGS stay theirs.
AC_DEFUN([WUTS_HARDENING], [
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
    [], [enable_werror=no])
WUTS_CFLAGS=
WUTS_LDFLAGS=
wuts_warnings="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wformat=2 -Wconversion -Wmissing-prototypes"
AS_IF([test "$enable_werror" = yes],
    [wuts_warnings="$wuts_warnings -Werror"])
for flag in $wuts_warnings -fstack-protector-strong -fPIE \
    -fstack-clash-protection; do
	AX_CHECK_COMPILE_FLAG([$flag], [WUTS_CFLAGS="$WUTS_CFLAGS $flag"],,
	    [-Werror])
done
for flag in -pie -Wl,-z,relro -Wl,-z,now; do
	AX_CHECK_LINK_FLAG([$flag], [WUTS_LDFLAGS="$WUTS_LDFLAGS $flag"])
done
AC_SUBST([WUTS_CFLAGS])
AC_SUBST([WUTS_LDFLAGS])
])
