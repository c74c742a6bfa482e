<?php
// What the tests add to the installer's own settings.
$wgServer = getenv( 'WIKI_ORIGIN' );
$wgEnableUploads = true;
$wgFileExtensions[] = 'mp3';
$wgUploadDirectory = __DIR__ . '/images';
$wgUseImageMagick = false;
$wgEnableEmail = false;
// Throttles and used codes are kept in the cache: without one the wiki would forget them.
$wgMainCacheType = CACHE_DB;
// The tests' own accounts are made a moment before they post.
$wgAutoConfirmAge = 0;
$wgAutoConfirmCount = 0;
if ( file_exists( __DIR__ . '/token-version' ) ) {
	$wgAuthenticationTokenVersion = file_get_contents( __DIR__ . '/token-version' );
}
if ( file_exists( __DIR__ . '/captcha-at-sign-in' ) ) {
	wfLoadExtension( 'ConfirmEdit' );
	// After one wrong password the sign-in page shows a captcha.
	$wgCaptchaTriggers['badlogin'] = true;
	$wgCaptchaBadLoginAttempts = 1;
}
// What the sign-in pages are sent, as the wiki receives it.
if ( ( $_SERVER['REQUEST_METHOD'] ?? '' ) === 'POST' ) {
	foreach ( [ 'wpName' => 'password', 'OATHToken' => 'code' ] as $field => $kind ) {
		if ( isset( $_POST[$field] ) ) {
			$line = json_encode( [ 'kind' => $kind, 'text' => $_POST[$field], 'at' => (int)( microtime( true ) * 1000 ) ] );
			file_put_contents( __DIR__ . '/submits.log', "$line\n", FILE_APPEND | LOCK_EX );
		}
	}
}
