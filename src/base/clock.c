/* SPDX-License-Identifier: MIT */
/* Clocks, and RFC 3339 text. Calendar arithmetic is our own few lines: timegm()
   accepts dates that do not exist and gmtime() is slow for what it does. */
#include "config.h"

#include "wuts/clock.h"

#include <string.h>
#include <time.h>

#define DAY_S 86400

static int64_t
read_clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND_US + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return read_clock_us(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return read_clock_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, year 0 to 9999.
   Years count from March, so that the leap day is the last. */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year += 400;		/* no negative year below */
	year -= month <= 2;
	era = year / 400;
	year_of_era = year % 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return (era - 1) * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

static void
date_from_days(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t era, day_of_era, year_of_era, day_of_year, month;

	days += 719468;
	era = days / 146097;
	day_of_era = days % 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
	    day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
	    year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	*day_r = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*month_r = (int)(month < 10 ? month + 3 : month - 9);
	*year_r = (int)(year_of_era + era * 400 + (*month_r <= 2));
}

/* Each log line has a time, and each attempt two: no printf for them. */
static void
put_two(char *to, int value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
}

char *
clock_format(int64_t wall_us, char buf[CLOCK_RFC3339_SIZE])
{
	int64_t seconds = wall_us / CLOCK_SECOND_US;
	int64_t of_day;
	int year, month, day;

	/* Four digits of year: 1970 .. 9999. */
	if (wall_us < 0)
		seconds = 0;
	else if (seconds > INT64_C(253402300799))
		seconds = INT64_C(253402300799);
	date_from_days(seconds / DAY_S, &year, &month, &day);
	of_day = seconds % DAY_S;
	memcpy(buf, "yyyy-mm-ddThh:mm:ssZ", CLOCK_RFC3339_SIZE);
	put_two(buf, year / 100);
	put_two(buf + 2, year % 100);
	put_two(buf + 5, month);
	put_two(buf + 8, day);
	put_two(buf + 11, (int)(of_day / 3600));
	put_two(buf + 14, (int)(of_day / 60 % 60));
	put_two(buf + 17, (int)(of_day % 60));
	return buf;
}

static void
format_fraction(int64_t wall_us, unsigned digits, char *buf)
{
	unsigned micros = wall_us < 0 ? 0 :
	    (unsigned)(wall_us % CLOCK_SECOND_US);

	clock_format(wall_us, buf);
	if (digits == 3)
		micros /= 1000;
	buf += CLOCK_RFC3339_SIZE - 2;	/* over the Z */
	*buf = '.';
	for (unsigned i = digits; i > 0; i--, micros /= 10)
		buf[i] = (char)('0' + micros % 10);
	memcpy(buf + digits + 1, "Z", 2);
}

char *
clock_format_micros(int64_t wall_us, char buf[CLOCK_RFC3339_MICROS_SIZE])
{
	format_fraction(wall_us, 6, buf);
	return buf;
}

char *
clock_format_millis(int64_t wall_us, char buf[CLOCK_RFC3339_MILLIS_SIZE])
{
	format_fraction(wall_us, 3, buf);
	return buf;
}

/* n decimal digits at *textp within [low, high]. */
static bool
take_number(const char **textp, unsigned n, int low, int high, int *value_r)
{
	const char *text = *textp;
	int value = 0;

	while (n-- > 0) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (*text++ - '0');
	}
	*textp = text;
	*value_r = value;
	return value >= low && value <= high;
}

static bool
take_char(const char **textp, const char *set)
{
	if (**textp == '\0' || strchr(set, **textp) == NULL)
		return false;
	(*textp)++;
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* ".123" to microseconds; digits behind the sixth are dropped. */
static bool
take_fraction(const char **textp, int64_t *us_r)
{
	int64_t us = 0, unit = CLOCK_SECOND_US;
	const char *start;

	*us_r = 0;
	if (!take_char(textp, "."))
		return true;
	for (start = *textp; **textp >= '0' && **textp <= '9'; (*textp)++) {
		unit /= 10;
		us += (**textp - '0') * unit;
	}
	*us_r = us;
	return *textp > start;
}

/* "Z" or "+01:30" to the seconds to subtract. */
static bool
take_offset(const char **textp, int64_t *offset_s_r)
{
	int hours, minutes;
	bool minus;

	*offset_s_r = 0;
	if (take_char(textp, "Zz"))
		return true;
	minus = **textp == '-';
	if (!take_char(textp, "+-") ||
	    !take_number(textp, 2, 0, 23, &hours) || !take_char(textp, ":") ||
	    !take_number(textp, 2, 0, 59, &minutes))
		return false;
	*offset_s_r = (minus ? -60 : 60) * (hours * 60 + minutes);
	return true;
}

bool
clock_parse(const char *text, int64_t *wall_us_r)
{
	int year, month, day, hour, minute, second;
	int64_t us, offset_s, seconds;

	if (!take_number(&text, 4, 0, 9999, &year) || !take_char(&text, "-") ||
	    !take_number(&text, 2, 1, 12, &month) || !take_char(&text, "-") ||
	    !take_number(&text, 2, 1, days_in_month(year, month), &day) ||
	    !take_char(&text, "Tt ") ||
	    !take_number(&text, 2, 0, 23, &hour) || !take_char(&text, ":") ||
	    !take_number(&text, 2, 0, 59, &minute) || !take_char(&text, ":") ||
	    !take_number(&text, 2, 0, 60, &second) ||
	    !take_fraction(&text, &us) || !take_offset(&text, &offset_s) ||
	    *text != '\0')
		return false;
	if (second == 60)	/* a leap second is the last of its minute */
		second = 59;
	seconds = days_from_date(year, month, day) * DAY_S + hour * 3600 +
	    minute * 60 + second - offset_s;
	*wall_us_r = seconds * CLOCK_SECOND_US + us;
	return true;
}
