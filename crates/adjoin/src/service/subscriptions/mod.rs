//! Subscriptions to Meta's webhooks: made, checked and mended, for the app and for each Page and ad account.
//!
//! A field is delivered only when it is subscribed at both levels (graph-api/reference/page/subscribed_apps): the app's
//! own subscription, one callback for each type of object (`app_level`), and that of each Page and ad account
//! (`check`). Both are read, merged, written and read again, so that nothing of anybody else's is lost. What stands
//! in the way becomes a fault that says who can mend it.

mod adopt;
mod app_level;
mod at_meta;
mod check;
mod faults;
mod page;
mod state;
mod take_back;
mod view;

use super::{App, Result};

pub use adopt::{adopt, renew};
pub use app_level::PATH as CALLBACK_PATH;
pub use state::{AppState, Arrivals, Cause, Object, State, SubscriptionFault};
pub use take_back::before_erasure;
pub use view::{AppSubscription, Subscription, check_all, list, of_app, recheck_app, take_over};

/// What is good is looked at again after this.
const RECHECK_SECONDS: i64 = 60 * 60;

/// Does what is due now. True when there is more to do at once.
pub async fn step(app: &App) -> Result<bool> {
    let adopted = adopt::adopt_older(app).await?;
    app_level::step(app).await?;
    let checked = check::step(app).await?;
    if adopted {
        app.wakes.sweep.notify_one();
        app.wakes.sort.notify_one();
    }
    Ok(adopted || checked)
}
