/** What the browser process may know of our environment. The farm's own variables hold keys. */
const passedOn =
  /^(PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|FONTCONFIG_\w+|LD_LIBRARY_PATH|SSL_CERT_\w+|SYSTEMROOT|LOCALAPPDATA|APPDATA|PROGRAMFILES\S*)$/i;

export function browserEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => passedOn.test(entry[0]) && entry[1] !== undefined),
  );
}
