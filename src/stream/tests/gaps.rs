//! Jumps, repeats and disorder of the sequence numbers.

use super::fake::{Fake, Piece, broken, event, events, frames, read, refused, resumed_after};

#[tokio::test(start_paused = true)]
async fn a_jump_is_filled_once_from_a_list_that_covers_it() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 2, 6, 7]), Piece::Hold]));
    let fake = fake.list(|limit| Ok(events(1..=limit)));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 7).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(fake.listed(), [506]);
    let stats = stream.stats();
    assert_eq!((stats.gaps, stats.filled, stats.missing), (1, 3, 0));
    assert!(stream.gaps().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_is_accepted_and_can_be_seen() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 5, 6]), Piece::Hold]));
    let fake = fake.list(|_| Ok(events([1, 3, 5])));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 4).await, [1, 3, 5, 6]);
    let stats = stream.stats();
    assert_eq!((stats.gaps, stats.filled, stats.missing), (1, 1, 2));
    assert_eq!(stream.gaps(), [2..=2, 4..=4]);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_found_nothing_stops_further_fills_until_the_next_reconnect() {
    let fake = Fake::new(|n, _| match n {
        0 => Ok(vec![frames([1, 3, 5, 7])]),
        _ => Ok(vec![frames([9]), Piece::Hold]),
    });
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 5).await, [1, 3, 5, 7, 9]);
    assert_eq!(fake.listed(), [503, 509]);
    assert_eq!(stream.gaps(), [2..=2, 4..=4, 6..=6, 8..=8]);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_fails_for_now_goes_back_to_before_the_gap() {
    let mut calls = 0;
    let fake = Fake::new(|_, last| match resumed_after(last) {
        0 => Ok(vec![frames([1, 4])]),
        at => Ok(vec![frames([at + 3, at + 4]), Piece::Hold]),
    });
    let fake = fake.list(move |limit| {
        calls += 1;
        if calls < 3 { Err(broken()) } else { Ok(events(1..=limit)) }
    });
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(fake.resumed(), [None, Some("s:evt_1".into()), Some("s:evt_1".into())]);
}

#[tokio::test(start_paused = true)]
async fn a_fill_without_access_does_not_move_the_resume_point() {
    for status in [401, 403] {
        let fake = Fake::new(|_, _| Ok(vec![frames([1, 4]), Piece::Hold]));
        let fake = fake.list(move |_| Err(refused(status)));
        let mut stream = fake.stream();
        read(&mut stream, 1).await;
        assert_eq!(stream.try_next().await.unwrap_err().status().unwrap(), status);
        assert_eq!(stream.cursor().unwrap().to_string(), "1@s:evt_1");
        assert!(stream.gaps().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_whose_list_never_comes_is_accepted_after_ten_tries() {
    let fake = Fake::new(|_, last| {
        let at = resumed_after(last);
        Ok(vec![frames(if at == 0 { vec![1, 4] } else { vec![at + 3, at + 4] }), Piece::Hold])
    });
    let mut stream = fake.list(|_| Err(broken())).stream();
    assert_eq!(read(&mut stream, 3).await, [1, 4, 5]);
    assert_eq!((stream.gaps(), stream.stats().reconnects), (vec![2..=3], 9));
}

#[tokio::test(start_paused = true)]
async fn a_stream_full_of_jumps_is_listed_rarely() {
    let fake = Fake::new(|_, _| Ok(vec![frames((1..=2_000).step_by(2)), Piece::Hold]));
    let fake = fake.list(|limit| Ok(events(1..=limit.min(2_000))));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 1_999).await, (1..=1_999).collect::<Vec<_>>());
    assert!(fake.listed().len() <= 5, "{:?}", fake.listed());
}

#[tokio::test(start_paused = true)]
async fn what_the_list_has_behind_a_hole_is_left_to_the_stream() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 4, 5, 6, 7]), Piece::Hold]));
    let fake = fake.list(|_| Ok(events([1, 2, 3, 4, 5, 7])));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 7).await, [1, 2, 3, 4, 5, 6, 7]);
    assert!(stream.gaps().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_had_leaves_the_gap_open() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 4]), Piece::Hold]));
    let mut stream = fake.list(|_| Err(refused(404))).stream();
    assert_eq!(read(&mut stream, 2).await, [1, 4]);
    assert_eq!(stream.gaps(), [2..=3]);
}

#[tokio::test(start_paused = true)]
async fn events_out_of_order_are_put_right_where_the_list_has_them() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 4, 3, 2, 5, 3]), Piece::Hold]));
    let fake = fake.list(|limit| Ok(events(1..=limit.min(4))));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(stream.stats().duplicates, 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_event_is_delivered_once_and_keeps_the_resume_point() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, 4, 2, 2, 5]), Piece::Hold]));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 3).await, [1, 4, 2]);
    assert_eq!(stream.cursor().unwrap().to_string(), "4@s:evt_4");
    assert_eq!(read(&mut stream, 1).await, [5]);
    let stats = stream.stats();
    assert_eq!((stats.late, stats.duplicates, stats.missing), (1, 1, 2));
    assert_eq!(stream.gaps(), [3..=3]);
}

#[tokio::test(start_paused = true)]
async fn events_without_numbers_are_delivered_once_by_their_ids() {
    let bare = |n: u64| {
        let json = super::fake::json(n).replace(&format!("\"sequence_number\":{n},"), "");
        Piece::Bytes(format!("id: s:evt_{n}\ndata: {json}\n\n").into_bytes())
    };
    let fake = Fake::new(move |n, _| match n {
        0 => Ok(vec![bare(1), bare(2), bare(1)]),
        _ => Ok(vec![bare(2), bare(3), Piece::Hold]),
    });
    let mut stream = fake.stream();
    for n in 1..=3 {
        let next = stream.try_next().await.unwrap().unwrap();
        assert_eq!((next.id, next.sequence_number), (event(n).id, None));
    }
    assert_eq!(stream.stats().duplicates, 2);
    assert_eq!(stream.cursor().unwrap().to_string(), "@s:evt_3");
}

#[tokio::test(start_paused = true)]
async fn an_enormous_number_neither_overflows_nor_lists_without_end() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1, u64::MAX, 2]), Piece::Hold]));
    let mut stream = fake.stream();
    assert_eq!(read(&mut stream, 3).await, [1, u64::MAX, 2]);
    assert_eq!(fake.listed(), [u64::MAX]);
}
