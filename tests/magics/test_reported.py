from __future__ import annotations

import ast

import pytest

from trackbook.magics.metric_words import is_count, is_time, label_in, reads_as_metric
from trackbook.magics.reported import core, place_name, reports_of

METRICS = "loss train_loss valAcc errD lossG lr learning_rate grad_norm total_reward f1_score rmse val/accuracy mAP ppl reward_per_step"
OTHERS = "epoch i batch_size seed loss_fn criterion num_steps accuracy_path x model loss_history elapsed_time score_list best_acc rate"


@pytest.mark.parametrize("name", METRICS.split())
def test_metrics_are_known_by_their_words(name: str) -> None:
    assert reads_as_metric(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_names_do_not_read_as_metrics(name: str) -> None:
    assert not reads_as_metric(name)


def test_counters_and_times_are_known_by_their_words() -> None:
    assert all(map(is_count, ("epoch", "batch_idx", "n_samples", "globalStep", "i")))
    assert not any(map(is_count, ("loss", "step_loss", "x", "")))
    assert all(map(is_time, ("start_time", "elapsed", "ms_per_batch")))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Epoch 3 loss ", "loss"),
        ("epoch 1 | Train Loss: ", "train_loss"),
        ("Epoch 3. Val. Loss: ", "val_loss"),
        ("Done. Val. loss ", "val_loss"),
        (", val_acc=", "val_acc"),
        ("\tLoss_D: ", "loss_d"),
        ("Test set: Average loss: ", "average_loss"),
        ("Training is over. The loss is ", "loss"),
        ("Final loss = ", "final_loss"),
        ("the ", "the"),
        ("[", ""),
        (" / ", ""),
        ("w = ", "w"),
        ("a long sentence about nothing in particular ", ""),
    ],
)
def test_text_before_a_value_names_it(text: str, label: str) -> None:
    assert label_in(text) == label


def reports(source: str) -> list[tuple[str, str, str]]:
    """Return how, under which label and what each node of a source reports."""
    found: list[tuple[str, str, str]] = []
    for node in ast.walk(ast.parse(source)):
        found += [(one.how, one.label, ast.unparse(one.expression)) for one in reports_of(node)]
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print(f'epoch {i} loss {loss:.3f}')", [("print", "epoch", "i"), ("print", "loss", "loss")]),
        ("print('loss', loss.item(), 'acc:', acc)", [("print", "loss", "loss.item()"), ("print", "acc", "acc")]),
        ("print('loss %.3f, acc %d%%' % (loss, acc))", [("print", "loss", "loss"), ("print", "acc", "acc")]),
        ("print('loss {:.3f} acc {a}'.format(loss, a=acc))", [("print", "loss", "loss"), ("print", "acc", "acc")]),
        ("print('loss: ' + str(loss))", [("print", "loss", "loss")]),
        ("print('acc: {}/{} ({:.0f}%)'.format(right, len(y), share))", [("print", "acc", "share")]),
        ("print(f'{right}/{total}')", []),
        ("print('losses:', *losses)", []),
        ("print('loss', *losses, 'acc', acc)", [("print", "acc", "acc")]),
        ("logger.info('loss %s', *values)", []),
        ("writer.add_scalar('loss', *values)", []),
        ("losses.append(*values)", []),
        ("bar.set_postfix(*values, **more)", []),
        ("logger.info('loss %.3f', loss)", [("print", "loss", "loss")]),
        ("losses.append(loss.item())", [("append", "losses", "loss.item()")]),
        ("history['val_loss'].append(v)", [("append", "val_loss", "v")]),
        ("log['train']['loss'].append(v)", [("append", "train/loss", "v")]),
        ("rows.append({'loss': v, 'acc': a})", [("append", "loss", "v"), ("append", "acc", "a")]),
        ("bar.set_postfix(loss=v, acc=f'{a:.3f}', refresh=False)", [("bar", "loss", "v"), ("bar", "acc", "a")]),
        ("bar.set_postfix({'loss': v})", [("bar", "loss", "v")]),
        ("bar.set_description(f'loss {v:.2f}')", [("bar", "loss", "v")]),
        ("m['loss'] = v", [("item", "loss", "v")]),
        ("self.loss = v", [("item", "loss", "v")]),
        ("losses[i] = v", [("item", "losses", "v")]),
        ("m.update(loss=v)", [("item", "loss", "v")]),
        ("model.update(x)", []),
        ("def f():\n return loss, n", [("return", "", "loss"), ("return", "", "n")]),
        ("def f():\n return {'loss': v}", [("return", "loss", "v")]),
        ("def f():\n yield loss", [("return", "", "loss")]),
        ("print('{'.format(loss))", []),
    ],
)
def test_reports_and_their_labels(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert reports(source) == expected


@pytest.mark.parametrize(
    ("source", "inner"),
    [
        ("float(loss.item())", "loss"),
        ("loss.detach().cpu().numpy()", "loss"),
        ("round(loss, 3)", "loss"),
        ("np.asarray(loss)", "loss"),
        ("loss.data", "loss"),
        ("loss.mean()", "loss.mean()"),
        ("loss / 2", "loss / 2"),
    ],
)
def test_core_is_what_the_value_is_of(source: str, inner: str) -> None:
    assert ast.unparse(core(ast.parse(source, mode="eval").body)) == inner


@pytest.mark.parametrize(
    ("source", "name"),
    [("loss", "loss"), ("self.loss", "loss"), ("m['loss']", "loss"), ("losses[-1]", "losses"), ("f(x)", "")],
)
def test_places_have_the_name_of_what_they_hold(source: str, name: str) -> None:
    assert place_name(ast.parse(source, mode="eval").body) == name
