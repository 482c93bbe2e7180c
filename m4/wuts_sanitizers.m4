dnl SPDX-License-Identifier: MIT
dnl WUTS_SANITIZERS: --enable-sanitizers builds with ASan and UBSan; otherwise
dnl _FORTIFY_SOURCE, which does not go together with them.
AC_DEFUN([WUTS_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers],
        [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
    [], [enable_sanitizers=no])
WUTS_CPPFLAGS=
AS_IF([test "$enable_sanitizers" = yes],
    [WUTS_CFLAGS="$WUTS_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
     WUTS_LDFLAGS="$WUTS_LDFLAGS -fsanitize=address,undefined"],
    [WUTS_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
AC_SUBST([WUTS_CPPFLAGS])
])
