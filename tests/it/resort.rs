//! A pool with nobody left is answered by its last resort, before it opens or closes, and only for as long.

use crate::scene::{eventually, get, meridian, origin};

#[test]
fn a_pool_with_nobody_left_is_answered_by_its_last_resort() {
    for when_all_down in ["open", "closed"] {
        let (mut shop, sorry) = (origin("shop"), origin("sorry"));
        let timing = "check.tcp = { interval = \"100ms\", recheck = \"50ms\", rise = 1 }";
        let node = meridian(&format!(
            "[regions.here]\naddresses = [\"127.0.0.1\"]\n\
             [pools.shop]\nwhen_all_down = \"{when_all_down}\"\nlast_resort = \"sorry\"\n{timing}\n\
             origins = [{{ address = \"{}\" }}]\n\
             [pools.sorry]\n{timing}\norigins = [{{ address = \"{}\" }}]\n\
             [[routes]]\npool = \"shop\"\n",
            shop.address, sorry.address
        ));
        let said = || get(node.http(), "x", "/").map(|answer| (answer.status, answer.text()));
        assert_eq!(said().unwrap().1, "shop");
        let up = format!("meridian_origin_up{{pool=\"shop\",origin=\"{}\"}}", shop.address);
        assert_eq!(node.metric(&up), 1);

        shop.kill();
        // Until the verdict, a try that failed goes there, too, as far as the budget of tries reaches.
        node.metric_becomes(&up, 0);
        for _ in 0..20 {
            assert_eq!(said().unwrap(), (200, "sorry".to_owned()));
        }
        assert!(node.metric("meridian_http_rungs_total{pool=\"sorry\",rung=\"last-resort\"}") >= 20);
        sorry.kill();
        // Nobody is left: 502 where the dead are tried anyway, 503 where they are not.
        let expected = if when_all_down == "open" { 502 } else { 503 };
        eventually("nobody answers", || (said()?.0 == expected).then_some(()));
        shop.revive();
        eventually("the pool itself answers again", || (said()?.1 == "shop").then_some(()));
    }
}

#[test]
fn a_request_whose_tries_all_failed_goes_to_the_last_resort_before_any_verdict() {
    let (shop, sorry) = (origin("shop"), origin("sorry"));
    // Verdicts come too late to help.
    let timing = "check.tcp = { interval = \"1h\", recheck = \"1h\", timeout = \"60s\", fall = 100 }";
    let node = meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n\
         [pools.shop]\nlast_resort = \"sorry\"\n{timing}\norigins = [{{ address = \"{}\" }}]\n\
         [pools.sorry]\norigins = [{{ address = \"{}\" }}]\n\
         [[routes]]\npool = \"shop\"\n",
        shop.address, sorry.address
    ));
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "shop");
    shop.kill();
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "sorry");
}
