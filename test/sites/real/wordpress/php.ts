/** The PHP that makes an installation of it: no path and no port is written into any of it. */

export const configFile = `<?php
define('DB_NAME', 'wp'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'wp');
define('DB_HOST', 'localhost:' . getenv('SITE_SOCKET')); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
  define($name . '_KEY', hash('sha256', $name . 'demo-key')); define($name . '_SALT', hash('sha256', $name . 'demo-salt'));
}
$table_prefix = 'wp_';
define('WP_HOME', getenv('SITE_ORIGIN')); define('WP_SITEURL', getenv('SITE_ORIGIN'));
// It speaks to itself (wp-cron) and to nobody else.
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('FS_METHOD', 'direct');
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`;

/** For \`php -S\`: files as they are, all else to index.php, as a web server does for pretty links. */
export const routerFile = `<?php
$root = $_SERVER['DOCUMENT_ROOT'];
$path = urldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$file = $root . $path;
if ($path !== '/' && is_file($file)) return false;
$folder = rtrim($path, '/');
if ($folder !== '' && is_file($root . $folder . '/index.php')) {
  if (substr($path, -1) !== '/') { header("Location: $folder/"); return true; }
} else {
  $folder = '';
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $folder . '/index.php';
chdir($root . $folder);
require $root . $folder . '/index.php';
return true;
`;

/** Debian has no wp-cli; this is what its \`core install\` would do. Its argument: the people, as JSON. */
export const installScript = `<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1'; $_SERVER['REQUEST_URI'] = '/';
require getcwd() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_wp_mail', '__return_true');
[$first, $second] = json_decode($argv[1], true);
wp_install('Test Show', $first['username'], $first['email'], true, '', $first['password']);
$made = wp_insert_user(['user_login' => $second['username'], 'user_pass' => $second['password'], 'user_email' => $second['email'], 'role' => 'editor']);
if (is_wp_error($made)) { fwrite(STDERR, $made->get_error_message()); exit(1); }
update_option('permalink_structure', '/%postname%/');
flush_rewrite_rules();
`;

/** WordPress writes down what it publishes: the history that nobody who posts can touch. */
export const historyPlugin = `<?php
function podcrew_note($what, $post) {
  $line = json_encode(['at' => (int) (microtime(true) * 1000), 'what' => $what, 'postId' => $post->ID,
    'title' => html_entity_decode($post->post_title, ENT_QUOTES), 'slug' => $post->post_name]);
  file_put_contents(getenv('SITE_HISTORY'), $line . "\\n", FILE_APPEND | LOCK_EX);
}
add_action('transition_post_status', function ($new, $old, $post) {
  if ($post->post_type === 'post' && $new === 'publish' && $old !== 'publish') podcrew_note('publish', $post);
}, 10, 3);
add_filter('rest_pre_insert_post', function ($prepared, $request) {
  $before = isset($prepared->ID) ? get_post($prepared->ID) : null;
  if ($before && $before->post_status === 'publish' && $request['status'] === 'publish') podcrew_note('repeated', $before);
  return $prepared;
}, 10, 2);
`;

/** WordPress itself never locks anybody out; the plugin that most sites have for it says it in these words. */
export const lockPlugin = `<?php
add_filter('authenticate', function ($user, $name) {
  return $name === 'locked' ? new WP_Error('too_many_retries', '<strong>Error</strong>: Too many failed login attempts. Please try again in 20 minutes.') : $user;
}, 100, 2);
`;
