"""Training cells in the styles of public notebooks, with the libraries themselves: see `public_cells`, whose cells `TORCH` is for, too."""

from __future__ import annotations

from typing import Final

from public_cells import Cell

TORCH: Final = '''
import contextlib, itertools, math, random
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from tqdm import tqdm as terminal_tqdm

class tqdm(terminal_tqdm):
    """A progress bar that keeps what it shows."""
    def __init__(self, items, **options): super().__init__(items, **options, disable=False); self.shown = []
    def set_postfix(self, **values): super().set_postfix(**values); self.shown.append(values)

class Optimizer(torch.optim.SGD):
    @property
    def lr(self): return self.param_groups[0]["lr"]
    def step(self): super().step(); self.param_groups[0]["lr"] *= 0.99

torch.manual_seed(0)
plt.close("all")
model = torch.nn.Linear(3, 1)
optimizer = Optimizer(model.parameters(), lr=0.1)
loader = torch.utils.data.DataLoader([(torch.tensor([float(i)]), i % 2) for i in range(4)])

def criterion(*given):
    loss = (model(torch.randn(8, 3)) - 1).pow(2).mean()
    criterion.given.append(loss.item())
    return loss
criterion.given = []
'''

_SPEEDS: Final = r"'\w*(?:runtime|per_second)': '?[\d.e-]+'?"
_TIMES: Final = r"\d[\d.:]*(e-?\d+)? ?(s|ms|us|µs|it/s)\b[\w/]*|\b\d\d:\d\d\b"

CELLS: Final = {
    "PyTorch, quickstart": Cell(
        """
        import torch
        from torch import nn
        torch.manual_seed(0)
        X = torch.randn(64, 4)
        data = [(x, int(x.sum() > 0)) for x in X]
        train_dataloader = torch.utils.data.DataLoader(data, batch_size=8)
        test_dataloader = torch.utils.data.DataLoader(data[:16], batch_size=8)
        device = "cpu"

        class NeuralNetwork(nn.Module):
            def __init__(self):
                super().__init__()
                self.flatten = nn.Flatten()
                self.linear_relu_stack = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

            def forward(self, x):
                x = self.flatten(x)
                logits = self.linear_relu_stack(x)
                return logits

        model = NeuralNetwork().to(device)
        loss_fn = nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)

        def train(dataloader, model, loss_fn, optimizer):
            size = len(dataloader.dataset)
            model.train()
            for batch, (X, y) in enumerate(dataloader):
                X, y = X.to(device), y.to(device)
                pred = model(X)
                loss = loss_fn(pred, y)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                loss, current = loss.item(), (batch + 1) * len(X)
                print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")

        def test(dataloader, model, loss_fn):
            size = len(dataloader.dataset)
            num_batches = len(dataloader)
            model.eval()
            test_loss, correct = 0, 0
            with torch.no_grad():
                for X, y in dataloader:
                    X, y = X.to(device), y.to(device)
                    pred = model(X)
                    test_loss += loss_fn(pred, y).item()
                    correct += (pred.argmax(1) == y).type(torch.float).sum().item()
            test_loss /= num_batches
            correct /= size
            print(f"Test Error: \\n Accuracy: {(100*correct):>0.6f}%, Avg loss: {test_loss:>8f} \\n")
        """,
        """
        epochs = 3
        for t in range(epochs):
            print(f"Epoch {t+1}\\n-------------------------------")
            train(train_dataloader, model, loss_fn, optimizer)
            test(test_dataloader, model, loss_fn)
        print("Done!")
        """,
        {
            "loss": r"re:(?m)^loss: +([\d.]+)",
            "test_loss": r"re:Avg loss: +([\d.]+)",
            "accuracy": r"re:Accuracy: ([\d.]+)%",
        },
    ),
    "GAN": Cell(
        """
        import torch
        from torch import nn
        torch.manual_seed(0)
        netG = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        netD = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
        criterion = nn.BCELoss()
        optimizerD = torch.optim.Adam(netD.parameters(), lr=0.01)
        optimizerG = torch.optim.Adam(netG.parameters(), lr=0.01)
        dataloader = torch.utils.data.DataLoader(torch.randn(32, 1), batch_size=8)
        real_label, fake_label = 1., 0.
        """,
        """
        G_losses, D_losses = [], []
        iters = 0
        num_epochs = 2
        for epoch in range(num_epochs):
            for i, data in enumerate(dataloader, 0):
                netD.zero_grad()
                b_size = data.size(0)
                label = torch.full((b_size,), real_label, dtype=torch.float)
                output = netD(data).view(-1)
                errD_real = criterion(output, label)
                errD_real.backward()
                D_x = output.mean().item()
                noise = torch.randn(b_size, 2)
                fake = netG(noise)
                label.fill_(fake_label)
                output = netD(fake.detach()).view(-1)
                errD_fake = criterion(output, label)
                errD_fake.backward()
                D_G_z1 = output.mean().item()
                errD = errD_real + errD_fake
                optimizerD.step()
                netG.zero_grad()
                label.fill_(real_label)
                output = netD(fake).view(-1)
                errG = criterion(output, label)
                errG.backward()
                D_G_z2 = output.mean().item()
                optimizerG.step()
                print('[%d/%d][%d/%d]\\tLoss_D: %.6f\\tLoss_G: %.6f\\tD(x): %.6f\\tD(G(z)): %.6f / %.6f'
                      % (epoch, num_epochs, i, len(dataloader), errD.item(), errG.item(), D_x, D_G_z1, D_G_z2))
                G_losses.append(errG.item())
                D_losses.append(errD.item())
                iters += 1
        """,
        {
            "errG": "G_losses",
            "errD": "D_losses",
            "D_x": r"re:D\(x\): ([\d.]+)",
            "D_G_z1": r"re:D\(G\(z\)\): ([\d.]+)",
            "D_G_z2": r"re:(?m)/ ([\d.]+)$",
        },
    ),
    "Keras": Cell(
        """
        import keras, numpy as np
        keras.utils.set_random_seed(1)
        X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
        Y = (X.sum(axis=1) > 0).astype("float32")
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        """,
        """
        history = model.fit(X, Y, epochs=3, validation_split=0.25, verbose=2)
        history.history
        """,
        {name: f"history.history[{name!r}]" for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
        _TIMES,
    ),
    "GridSearchCV": Cell(
        """
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GridSearchCV
        X = np.random.default_rng(0).normal(size=(64, 4))
        Y = (X.sum(axis=1) > 0).astype(int)
        """,
        """
        grid = GridSearchCV(LogisticRegression(), {"C": [0.01, 0.1, 1.0]}, cv=2, verbose=3)
        grid.fit(X, Y)
        print("best", grid.best_params_, grid.best_score_)
        grid.cv_results_["mean_test_score"]
        """,
        {"mean_test_score": 'grid.cv_results_["mean_test_score"]', "best_score": "[grid.best_score_]"},
        _TIMES,
    ),
    "XGBoost": Cell(
        """
        import numpy as np, xgboost as xgb
        X = np.random.default_rng(0).normal(size=(64, 4))
        Y = (X.sum(axis=1) > 0).astype(int)
        dtrain, dvalid = xgb.DMatrix(X[:48], Y[:48]), xgb.DMatrix(X[48:], Y[48:])
        """,
        """
        evals_result = {}
        bst = xgb.train({"objective": "binary:logistic", "max_depth": 2}, dtrain, num_boost_round=5,
                        evals=[(dtrain, "train"), (dvalid, "valid")], evals_result=evals_result)
        """,
        {f"{part}/logloss": f"evals_result[{part!r}]['logloss']" for part in ("train", "valid")},
    ),
    "LightGBM": Cell(
        """
        import lightgbm as lgb, numpy as np
        X = np.random.default_rng(0).normal(size=(200, 4))
        Y = X.sum(axis=1)
        train, valid = lgb.Dataset(X[:150], Y[:150]), lgb.Dataset(X[150:], Y[150:])
        """,
        """
        evals = {}
        params = {"objective": "regression", "metric": ["l2", "l1"], "verbose": -1, "num_threads": 1}
        gbm = lgb.train(params, train, num_boost_round=6, valid_sets=[train, valid], valid_names=["train", "valid"],
                        callbacks=[lgb.log_evaluation(1), lgb.record_evaluation(evals)])
        """,
        {f"{part}/{name}": f"evals[{part!r}][{name!r}]" for part in ("train", "valid") for name in ("l1", "l2")},
    ),
    "Lightning": Cell(
        """
        import csv, shutil
        import pytorch_lightning as pl
        import torch
        from pytorch_lightning.loggers import CSVLogger
        pl.seed_everything(0)
        loader = torch.utils.data.DataLoader(torch.randn(32, 4), batch_size=8)

        class LitModel(pl.LightningModule):
            def __init__(self, lr=0.1):
                super().__init__()
                self.save_hyperparameters()
                self.layer = torch.nn.Linear(4, 1)

            def training_step(self, batch, batch_idx):
                loss = (self.layer(batch) - 1).pow(2).mean()
                self.log("train_loss", loss, prog_bar=True)
                return loss

            def validation_step(self, batch, batch_idx):
                val_loss = (self.layer(batch) - 1).pow(2).mean()
                self.log("val_loss", val_loss)

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        shutil.rmtree("csv", ignore_errors=True)
        """,
        """
        model = LitModel()
        trainer = pl.Trainer(max_epochs=3, accelerator="cpu", log_every_n_steps=1, enable_progress_bar=False,
                             logger=CSVLogger("csv"), enable_checkpointing=False)
        trainer.fit(model, loader, loader)
        rows = list(csv.DictReader(open(trainer.logger.log_dir + "/metrics.csv")))
        """,
        {name: f"[row[{name!r}] for row in rows if row[{name!r}]]" for name in ("train_loss", "val_loss")},
    ),
    "Transformers": Cell(
        """
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
        torch.manual_seed(0)
        tokens = torch.randint(0, 20, (24, 8))
        data = [{"input_ids": row, "labels": row} for row in tokens]
        model = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=1))
        args = TrainingArguments("out", num_train_epochs=2, per_device_train_batch_size=4, logging_steps=2, eval_strategy="epoch",
                                 save_strategy="no", learning_rate=1e-2, report_to="none", use_cpu=True)
        """,
        """
        trainer = Trainer(model=model, args=args, train_dataset=data, eval_dataset=data[:4])
        trainer.train()
        logs = trainer.state.log_history
        train_losses = [log["loss"] for log in logs if "loss" in log]
        eval_losses = [log["eval_loss"] for log in logs if "eval_loss" in log]
        del logs
        """,
        {
            "train/loss": "train_losses",
            "eval/loss": "eval_losses",
            **{
                f"train/{name}": f"[log[{name!r}] for log in trainer.state.log_history if {name!r} in log]"
                for name in ("grad_norm", "learning_rate")
            },
            **{
                f"eval/{name}": f"[log['eval_{name}'] for log in trainer.state.log_history if 'eval_{name}' in log]"
                for name in ("runtime", "samples_per_second", "steps_per_second")
            },
        },
        _SPEEDS,
    ),
    "TRL": Cell(
        """
        import datasets, torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
        from trl import SFTConfig, SFTTrainer
        torch.manual_seed(0)
        words = Tokenizer(models.WordLevel({word: n for n, word in enumerate("<pad> <eos> a b c d e f".split())}, unk_token="a"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>")
        model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_positions=16, n_embd=8, n_layer=1, n_head=1))
        dataset = datasets.Dataset.from_list([{"text": "a b c d e f"}] * 8)
        """,
        """
        training_args = SFTConfig("out", max_steps=4, logging_steps=1, per_device_train_batch_size=2, save_strategy="no",
                                  report_to="none", use_cpu=True, bf16=False, max_length=16, gradient_checkpointing=False)
        trainer = SFTTrainer(model=model, args=training_args, train_dataset=dataset, processing_class=tokenizer)
        trainer.train()
        """,
        {
            f"train/{name}": f"[log[{name!r}] for log in trainer.state.log_history if {name!r} in log]"
            for name in ("loss", "grad_norm", "learning_rate", "mean_token_accuracy", "num_tokens", "entropy")
        },
        _SPEEDS,
    ),
    "fastai": Cell(
        """
        import torch
        from fastai.callback.schedule import Learner
        from fastai.data.core import DataLoaders
        from fastai.data.load import DataLoader
        from fastai.metrics import mae
        torch.manual_seed(0)
        X = torch.randn(32, 4)
        data = [(row, row.sum(0, keepdim=True)) for row in X]
        dls = DataLoaders(DataLoader(data, 8), DataLoader(data, 8))
        """,
        """
        learn = Learner(dls, torch.nn.Linear(4, 1), torch.nn.MSELoss(), metrics=mae)
        learn.fit_one_cycle(3, 0.1)
        """,
        {
            name: f"[row[{number}] for row in learn.recorder.values]"
            for number, name in enumerate(("train_loss", "valid_loss", "mae"))
        },
        _TIMES,
    ),
    "Optuna": Cell(
        """
        import optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)

        def objective(trial):
            x = trial.suggest_float("x", -10, 10)
            return (x - 2) ** 2
        """,
        """
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(objective, n_trials=6)
        print(study.best_params)
        """,
        {"value": "[trial.value for trial in study.trials]"},
    ),
    "reinforcement": Cell(
        """
        import gymnasium as gym
        import numpy as np
        import torch
        from torch.distributions import Categorical
        torch.manual_seed(0)
        env = gym.make("CartPole-v1")
        policy = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)

        def select_action(state):
            m = Categorical(logits=policy(torch.as_tensor(state)))
            action = m.sample()
            return action.item(), m.log_prob(action)
        """,
        """
        episode_rewards = []
        running_reward = 10
        for i_episode in range(5):
            state, _ = env.reset(seed=i_episode)
            ep_reward, log_probs, rewards = 0, [], []
            for t in range(1, 50):
                action, log_prob = select_action(state)
                state, reward, terminated, truncated, _ = env.step(action)
                log_probs.append(log_prob)
                rewards.append(reward)
                ep_reward += reward
                if terminated or truncated:
                    break
            running_reward = 0.05 * ep_reward + 0.95 * running_reward
            policy_loss = -(torch.stack(log_probs) * sum(rewards)).sum()
            optimizer.zero_grad()
            policy_loss.backward()
            optimizer.step()
            episode_rewards.append(ep_reward)
            print(f"Episode {i_episode}\\tLast reward: {ep_reward:.2f}\\tAverage reward: {running_reward:.6f}")
        """,
        {"episode_rewards": "episode_rewards", "running_reward": r"re:Average reward: ([\d.]+)"},
    ),
    "JAX": Cell(
        """
        import jax
        import jax.numpy as jnp
        key = jax.random.PRNGKey(0)
        X = jax.random.normal(key, (32, 3))
        y = X @ jnp.array([1.0, -2.0, 3.0])
        params = {"w": jnp.zeros(3), "b": 0.0}

        def loss_fn(params, X, y):
            pred = X @ params["w"] + params["b"]
            return jnp.mean((pred - y) ** 2)

        @jax.jit
        def train_step(params, X, y):
            loss, grads = jax.value_and_grad(loss_fn)(params, X, y)
            params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
            return params, loss
        """,
        """
        losses = []
        for step in range(20):
            params, loss = train_step(params, X, y)
            losses.append(float(loss))
            if step % 5 == 0:
                print(f"step {step}, loss {loss:.4f}")
        """,
        {"loss": "losses"},
    ),
    "k-fold": Cell(
        """
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import accuracy_score
        from sklearn.model_selection import StratifiedKFold
        X = np.random.default_rng(0).normal(size=(60, 4))
        y = (X.sum(axis=1) + np.random.default_rng(1).normal(size=60) > 0).astype(int)
        """,
        """
        skf = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
        scores = []
        for fold, (train_idx, val_idx) in enumerate(skf.split(X, y)):
            X_train, X_val = X[train_idx], X[val_idx]
            y_train, y_val = y[train_idx], y[val_idx]
            clf = LogisticRegression().fit(X_train, y_train)
            preds = clf.predict(X_val)
            acc = accuracy_score(y_val, preds)
            scores.append(acc)
            print(f"Fold {fold + 1} accuracy: {acc:.4f}")
        print(f"Mean accuracy: {np.mean(scores):.4f} +/- {np.std(scores):.4f}")
        """,
        {"acc": "scores"},
    ),
}
