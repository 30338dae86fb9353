"""Training cells in the styles of public notebooks, with stand-ins for the libraries, and the curves that their authors look at.

`curves` gives for each metric an expression of the notebook's variables after the cell, or a pattern of what the cell printed, after ``re:``.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

LIBRARIES = '''
import contextlib, itertools, math, random

class Tensor:
    """A number as torch has it: read by `item`."""
    shape, dtype = (), "float32"
    def __init__(self, value): self._value = float(value)
    def item(self): return self._value
    def detach(self): return self
    cpu = detach
    def backward(self): pass
    def __float__(self): return self._value
    def __format__(self, spec): return format(self._value, spec)
    def __add__(self, other): return Tensor(self._value + float(other))
    def __mul__(self, other): return Tensor(self._value * float(other))
    def __truediv__(self, other): return Tensor(self._value / float(other))
    __radd__, __rmul__ = __add__, __mul__
Tensor.__module__ = "torch"

class tqdm:
    """A progress bar that keeps what it shows."""
    def __init__(self, items, **options): self.items, self.shown = items, []
    def __iter__(self): return iter(self.items)
    def set_postfix(self, **values): self.shown.append(values)
    def set_description(self, text): self.shown.append(text)

class Optimizer:
    lr = 0.1
    def zero_grad(self): pass
    def step(self): self.lr *= 0.99

def criterion(*given):
    criterion.given.append(3 / (len(criterion.given) + 3))
    return Tensor(criterion.given[-1])
criterion.given = []

loader = [([i], i % 2) for i in range(4)]
optimizer = Optimizer()
class Figure:
    def plot(self, *values, **options): pass
plt = Figure()
'''


@dataclass(frozen=True)
class Cell:
    """A notebook: the cells before the one that trains, that one, and the curves that its author looks at."""

    before: str
    cell: str
    curves: dict[str, str]
    times: str = "(?!)"  # a pattern of what differs from one time to another in its output

    @property
    def setup(self) -> str:
        return dedent(self.before)

    @property
    def source(self) -> str:
        return dedent(self.cell).lstrip("\n")


CELLS = {
    "plain loop": Cell(
        "",
        """
        for epoch in range(2):
            running_loss = 0.0
            for i, data in enumerate(loader):
                inputs, labels = data
                optimizer.zero_grad()
                loss = criterion(inputs, labels)
                loss.backward()
                optimizer.step()
                running_loss += loss.item()
                if i % 2 == 1:
                    print(f'[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 2:.6f}')
                    running_loss = 0.0
        print('Finished Training')
        """,
        {"running_loss": r"re:loss: ([\d.]+)"},
    ),
    "accuracy of an epoch": Cell(
        "",
        """
        shown = []
        for epoch in range(4):
            acc = 0.0
            for batch in range(3):
                acc += 0.5 + epoch / 10
            acc = acc / 3
            shown.append(acc)
            print("epoch", epoch, "acc", acc)
        """,
        {"acc": "shown"},
    ),
    "functions of other cells": Cell(
        """
        def train_one_epoch(loader, optimizer):
            total = 0.0
            for x, y in loader:
                loss = criterion(x, y)
                optimizer.step()
                total += loss.item()
            return total / len(loader)

        def evaluate(loader):
            total, correct = 0.0, 0
            for x, y in loader:
                loss = criterion(x, y)
                total += loss.item()
                correct += int(y == 1)
            return total / len(loader), correct / len(loader)
        """,
        """
        train_losses, val_losses = [], []
        for epoch in range(3):
            train_loss = train_one_epoch(loader, optimizer)
            val_loss, val_acc = evaluate(loader)
            train_losses.append(train_loss)
            val_losses.append(val_loss)
            print(f"Epoch {epoch + 1}/3 | train loss {train_loss:.4f} | val loss {val_loss:.4f} | val acc {val_acc:.2%}")
        plt.plot(train_losses); plt.plot(val_losses)
        """,
        {"train_loss": "train_losses", "val_loss": "val_losses", "val_acc": "[0.5] * 3"},
    ),
    "a class that trains": Cell(
        """
        class Trainer:
            def __init__(self, optimizer):
                self.optimizer = optimizer
                self.loss = None
                self.seen = []

            def train_step(self, x, y):
                self.loss = criterion(x, y)
                self.optimizer.step()
                self.seen.append(self.loss.item())

            def validate(self, loader):
                losses = [criterion(x, y).item() for x, y in loader]
                return sum(losses) / len(losses)

            def fit(self, loader, epochs):
                self.val = []
                for epoch in range(epochs):
                    for x, y in loader:
                        self.train_step(x, y)
                    val_loss = self.validate(loader)
                    self.val.append(val_loss)
                    print(f"Epoch {epoch}: loss={self.loss.item():.4f}, val_loss={val_loss:.4f}")
        """,
        """
        trainer = Trainer(optimizer)
        trainer.fit(loader, epochs=3)
        """,
        {"loss": "trainer.seen", "val_loss": "trainer.val"},
    ),
    "nested functions": Cell(
        "",
        """
        def main(epochs=2):
            kept = []
            def step(x, y):
                loss = criterion(x, y)
                loss.backward()
                return loss
            def run_epoch():
                for x, y in loader:
                    loss = step(x, y)
                    kept.append(loss.item())
                    print("loss:", loss.item())
            for epoch in range(epochs):
                run_epoch()
            return kept
        kept = main()
        """,
        {"loss": "kept"},
    ),
    "a progress bar": Cell(
        "",
        """
        bar = tqdm(range(6), desc="training")
        for step in bar:
            l = criterion(step)
            a = 1 - l.item() / 2
            bar.set_postfix(loss=l.item(), acc=a)
        """,
        {"loss": "[one['loss'] for one in bar.shown]", "acc": "[one['acc'] for one in bar.shown]"},
    ),
    "a description": Cell(
        "",
        """
        kept = []
        with contextlib.nullcontext(tqdm(loader)) as bar:
            for x, y in bar:
                out = criterion(x, y)
                bar.set_description(f"loss {out.item():.6f}")
                kept.append(out.item())
        """,
        {"loss": "kept"},
    ),
    "a history": Cell(
        "",
        """
        history = {"loss": [], "val_loss": [], "lr": []}
        for epoch in range(3):
            epoch_loss = 0
            for x, y in loader:
                epoch_loss += criterion(x, y).item()
            history["loss"].append(epoch_loss / len(loader))
            history["val_loss"].append(criterion(0, 0).item())
            history["lr"].append(optimizer.lr)
            optimizer.step()
        """,
        {"loss": 'history["loss"]', "val_loss": 'history["val_loss"]', "lr": 'history["lr"]'},
    ),
    "dicts of metrics": Cell(
        """
        def train_step(batch):
            loss = criterion(batch)
            return {"loss": loss.item(), "accuracy": 1 / (1 + loss.item())}
        """,
        """
        logs = []
        for step in range(5):
            metrics = train_step(step)
            logs.append(metrics)
            print(step, metrics)
        """,
        {"loss": '[one["loss"] for one in logs]', "accuracy": '[one["accuracy"] for one in logs]'},
    ),
    "an animator": Cell(
        """
        class Animator:
            def __init__(self, xlabel=None, legend=None, **options): self.points = []
            def add(self, x, y): self.points.append(y)

        class Accumulator:
            def __init__(self, n): self.data = [0.0] * n
            def add(self, *values): self.data = [a + float(b) for a, b in zip(self.data, values)]
            def __getitem__(self, index): return self.data[index]

        def train_epoch_ch3(loader):
            metric = Accumulator(3)
            for X, y in loader:
                l = criterion(X, y)
                metric.add(l, int(y == 1), 1)
            return metric[0] / metric[2], metric[1] / metric[2]

        def evaluate_accuracy(loader):
            metric = Accumulator(2)
            for X, y in loader:
                metric.add(y == 0, 1)
            return metric[0] / metric[1]

        def train_ch3(loader, num_epochs):
            animator = Animator(xlabel='epoch', xlim=[1, num_epochs], legend=['train loss', 'train acc', 'test acc'])
            for epoch in range(num_epochs):
                train_metrics = train_epoch_ch3(loader)
                test_acc = evaluate_accuracy(loader)
                animator.add(epoch + 1, train_metrics + (test_acc,))
            train_loss, train_acc = train_metrics
            assert train_loss < 5, train_loss
            return animator
        """,
        """
        animator = train_ch3(loader, 4)
        """,
        {
            "train_loss": "[one[0] for one in animator.points]",
            "train_acc": "[one[1] for one in animator.points]",
            "test_acc": "[one[2] for one in animator.points]",
        },
    ),
    "an animator in the loop": Cell(
        """
        class Animator:
            def __init__(self, **options): self.points = []
            def add(self, x, y): self.points.append(y)
        """,
        """
        animator = Animator(xlabel='epoch', legend=['train loss', 'test acc'])
        for epoch in range(2):
            for i, (X, y) in enumerate(loader):
                train_l = criterion(X).item()
                if (i + 1) % 2 == 0:
                    animator.add(epoch + (i + 1) / 4, (train_l, None))
            test_acc = 1 - criterion(0).item()
            animator.add(epoch + 1, (None, test_acc))
        print(f'loss {train_l:.3f}, test acc {test_acc:.3f}')
        """,
        {
            "train_loss": "[one[0] for one in animator.points if one[0] is not None]",
            "test_acc": "[one[1] for one in animator.points if one[1] is not None]",
        },
    ),
    "a GAN": Cell(
        "",
        """
        G_losses, D_losses = [], []
        iters = 0
        num_epochs = 2
        for epoch in range(num_epochs):
            for i, data in enumerate(loader, 0):
                errD_real = criterion(data)
                D_x = 1 / (1 + errD_real.item())
                errD_fake = criterion(data)
                errD = errD_real + errD_fake
                errG = criterion(data)
                if i % 2 == 0:
                    print('[%d/%d][%d/%d]\\tLoss_D: %.4f\\tLoss_G: %.4f\\tD(x): %.4f'
                          % (epoch, num_epochs, i, len(loader), errD.item(), errG.item(), D_x))
                G_losses.append(errG.item())
                D_losses.append(errD.item())
                iters += 1
        plt.plot(G_losses, label="G"); plt.plot(D_losses, label="D")
        """,
        {"errG": "G_losses", "errD": "D_losses", "D_x": "[1 / (1 + loss) for loss in criterion.given[::3]]"},
    ),
    "rewards of episodes": Cell(
        """
        class Env:
            def reset(self): self.left = 4; return 0
            def step(self, action):
                self.left -= 1
                return self.left, 1.0 + action, self.left == 0, {}
        env = Env()
        """,
        """
        episode_rewards = []
        epsilon = 1.0
        for episode in range(6):
            state = env.reset()
            done = False
            total_reward = 0
            while not done:
                action = episode / 10
                state, reward, done, info = env.step(action)
                total_reward += reward
            episode_rewards.append(total_reward)
            epsilon = max(0.01, epsilon * 0.9)
            if episode % 2 == 0:
                print(f"Episode {episode}\\tAverage reward: {sum(episode_rewards[-3:]) / 3:.6f}")
        plt.plot(episode_rewards)
        """,
        {"episode_rewards": "episode_rewards", "average_reward": r"re:Average reward: ([\d.]+)"},
    ),
    "folds": Cell(
        """
        class Model:
            def fit(self, x, y): return self
            def score(self, x, y): return sum(x) / 10
        class KFold:
            def split(self, x): return [([0], [1, 2]), ([1], [0, 2]), ([2], [0, 1])]
        """,
        """
        scores = []
        X = [1, 2, 3]
        for fold, (train_idx, val_idx) in enumerate(KFold().split(X)):
            model = Model().fit(train_idx, None)
            score = model.score(val_idx, None)
            scores.append(score)
            print(f"Fold {fold + 1}: accuracy {score:.4f}")
        print("mean", sum(scores) / len(scores))
        """,
        {"score": "scores"},
    ),
    "numpy from scratch": Cell(
        "import numpy as np",
        """
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(20, 2)), rng.normal(size=20)
        w, b, lr, n_iterations = np.zeros(2), 0.0, 0.1, 30
        costs = np.zeros(n_iterations)
        for i in range(n_iterations):
            residual = X @ w + b - y
            cost = (residual ** 2).mean() / 2
            w = w - lr * X.T @ residual / len(y)
            b -= lr * residual.mean()
            costs[i] = cost
            if i % 10 == 0:
                print("Iteration", i, "cost:", cost)
        """,
        {"cost": "costs.tolist()"},
    ),
    "a reference script": Cell(
        """
        def train(loader, epoch):
            for batch_idx, (data, target) in enumerate(loader):
                loss = criterion(data, target)
                loss.backward()
                if batch_idx % 1 == 0:
                    print('Train Epoch: {} [{}/{} ({:.0f}%)]\\tLoss: {:.6f}'.format(
                        epoch, batch_idx * len(data), len(loader), 100. * batch_idx / len(loader), loss.item()))

        def test(loader):
            test_loss = 0
            correct = 0
            for data, target in loader:
                test_loss += criterion(data, target).item()
                correct += int(target == 1)
            test_loss /= len(loader)
            print('\\nTest set: Average loss: {:.6f}, Accuracy: {}/{} ({:.6f}%)\\n'.format(
                test_loss, correct, len(loader), 100. * correct / len(loader)))
        """,
        """
        for epoch in range(1, 4):
            train(loader, epoch)
            test(loader)
        """,
        {
            "loss": r"re:Loss: ([\d.]+)",
            "test_loss": r"re:Average loss: ([\d.]+)",
            "accuracy": r"re:Accuracy: \d+/\d+ \(([\d.]+)%\)",
        },
    ),
    "a language model": Cell(
        "import time",
        """
        val_losses = []
        for epoch in range(2):
            total_loss = 0.
            start_time = time.time()
            for batch in range(4):
                loss = criterion(batch)
                total_loss += loss.item()
                if batch % 2 == 1:
                    cur_loss = total_loss / 2
                    ppl = math.exp(cur_loss)
                    ms_per_batch = (time.time() - start_time) * 1000 / 2
                    print(f'| epoch {epoch:3d} | {batch:5d}/{4:5d} batches | lr {optimizer.lr:.6f} | '
                          f'loss {cur_loss:.6f} | ppl {ppl:.6f}')
                    total_loss = 0
            val_loss = criterion(epoch).item()
            val_losses.append(val_loss)
            print(f"end of epoch {epoch} valid loss {val_loss:.4f}")
        """,
        {
            "cur_loss": r"re:loss ([\d.]+) \|",
            "ppl": r"re:ppl ([\d.]+)",
            "val_loss": "val_losses",
            "lr": r"re:lr ([\d.]+)",
        },
    ),
    "a generator": Cell(
        """
        def training(steps):
            for step in range(steps):
                yield criterion(step).item()
        """,
        """
        kept = []
        for loss in training(5):
            kept.append(loss)
        """,
        {"loss": "kept"},
    ),
    "an async loop": Cell(
        """
        kept = []
        async def fetch(i): return i
        async def train():
            for i in range(4):
                batch = await fetch(i)
                loss = criterion(batch)
                kept.append(loss.item())
                print("loss", loss.item())
        """,
        """
        import asyncio
        coroutine = train()
        with contextlib.suppress(StopIteration):
            coroutine.send(None)
        """,
        {"loss": "kept"},
    ),
    "phases": Cell(
        "",
        """
        kept = {"train": [], "val": []}
        def train_model(num_epochs):
            best_acc = 0.0
            for epoch in range(num_epochs):
                for phase in ["train", "val"]:
                    running_loss = 0.0
                    running_corrects = 0
                    for inputs, label in loader:
                        loss = criterion(inputs, label)
                        running_loss += loss.item() * len(inputs)
                        running_corrects += int(label == 1)
                    epoch_loss = running_loss / len(loader)
                    epoch_acc = running_corrects / len(loader) + epoch
                    kept[phase].append(epoch_loss)
                    print(f"{phase} Loss: {epoch_loss:.4f} Acc: {epoch_acc:.4f}")
                    if phase == "val" and epoch_acc > best_acc:
                        best_acc = epoch_acc
            print(f"Best val Acc: {best_acc:4f}")
        train_model(3)
        """,
        {
            "train/epoch_loss": 'kept["train"]',
            "val/epoch_loss": 'kept["val"]',
            "train/epoch_acc": "[0.5, 1.5, 2.5]",
            "val/epoch_acc": "[0.5, 1.5, 2.5]",
        },
    ),
    "logging": Cell(
        """
        import logging
        logger = logging.getLogger("training")
        kept = []
        """,
        """
        for step in range(1, 6):
            value = criterion(step).item()
            kept.append(value)
            logger.info("step %d train loss %.4f lr %.3g", step, value, optimizer.lr)
        """,
        {"train_loss": "kept", "lr": "[optimizer.lr] * 5"},
    ),
}
