// The server writes UTC; the visitor reads the time of the place they are in.
const locale = document.documentElement.dataset.locale;
const formats = {
  minute: new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  second: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
};

export function showTimes(within) {
  for (const time of within.querySelectorAll("time[data-exact]")) showTime(time, time.dateTime);
}

export function showTime(time, iso) {
  time.dateTime = iso;
  time.textContent = formats[time.dataset.exact].format(new Date(iso));
}
