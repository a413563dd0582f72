using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>What defenses add to the gradient of a step, in fp64.</summary>
[Category("Gradient")]
public sealed class DefenseStepTests
{
    private static readonly IReadOnlyList<TokenizedExample> Rows = TinyRun.Rows(4);

    /// <summary>The published loss −(2/β) log σ(β (log p − log p_ref)) has the gradient of the weighted one.</summary>
    [Test]
    public void The_gradient_of_constrained_fine_tuning_is_that_of_the_published_loss()
    {
        using var backend = new ReferenceBackend();
        using var run = new TinyRun(backend);
        Move(run.Adapter, 0.3);
        using var workspace = new Workspace(run.Model, 64, forBackward: true);
        var settings = new ConstrainedSettings(Beta: 0.5, First: 3, Early: 2, EarlyTokens: 3);
        var targets = Rows.Sum(row => row.TargetCount);
        double[] begun = [.. TinyLlama.Normal(targets, seed: 4).Select(x => x - 5)];
        var objective = new ConstrainedObjective(settings, LossNormalization.Targets)
        {
            Reference = new TokenReference(Rows, begun),
        };
        using var trainer = new Trainer(
            run.Model, workspace, new(new(ScheduleShape.Constant, 0.01, 0, 10)) { Objective = objective }, 2);
        trainer.Accumulate(BatchPacker.Step(Rows, 2));
        trainer.SumGradients(stop: false);
        foreach (var parameter in run.Adapter.Parameters.Take(2))
        {
            var at = parameter.Value.ReadDoubles();
            GradientCheck.Check(parameter.Name, at, parameter.Gradient.ReadDoubles(), Loss, tolerance: 1e-6);
            parameter.Value.Write(at);

            double Loss(double[] values)
            {
                parameter.Value.Write(values);
                var (sum, t) = (0.0, 0);
                foreach (var row in Rows)
                {
                    var pass = Pass(workspace, row);
                    run.Model.Forward(pass);
                    run.Model.TargetLosses(pass);
                    foreach (var (nll, token) in pass.Head.Nll.ReadDoubles().Take(row.TargetCount).Select((n, i) => (n, i)))
                    {
                        var beta = settings.BetaOf(token);
                        sum += 2 / beta * Math.Log(1 + Math.Exp(-beta * (-nll - begun[t++])));
                    }
                }

                return sum / targets;
            }
        }
    }

    [Test]
    public void Booster_adds_lambda_times_what_a_harmful_step_takes_from_the_harmful_gradient()
    {
        using var backend = new ReferenceBackend();
        using var run = new TinyRun(backend);
        Move(run.Adapter, 0.3);
        using var workspace = new Workspace(run.Model, 64, forBackward: true);
        var harmful = TinyRun.Rows(3, "harmful").Select(r => r with { }).ToList();
        var settings = new BoosterSettings(Lambda: 3, Alpha: 0.2);
        double[] Gradient(IReadOnlyList<TokenizedExample> rows, StepTerm? term)
        {
            using var trainer = new Trainer(
                run.Model, workspace, new(new(ScheduleShape.Constant, 1e-9, 0, 10)) { Term = term }, 4);
            trainer.Accumulate(BatchPacker.Step(rows, 2));
            trainer.SumGradients(stop: false);
            term?.AddTo(run.Model.Parameters);
            return run.Gradients();
        }

        var before = run.Values();
        var found = Gradient(Rows, new Booster(settings, _ => harmful, microBatch: 2));
        Assert.That(run.Values(), Is.EqualTo(before), "the harmful step is taken back");
        var (plain, here) = (Gradient(Rows, null), Gradient(harmful, null));
        var norm = Math.Sqrt(here.Sum(g => g * g));
        Write([.. before.Zip(here, (w, g) => w - (settings.Alpha * g / norm))]);
        var there = Gradient(harmful, null);
        Write(before);
        double[] expected = [.. plain.Select((g, i) => g + (settings.Lambda * (here[i] - there[i])))];

        // Micro-batches are summed in another order: the last digits of fp64 differ.
        Assert.That(found, Is.EqualTo(expected).Within(1e-12));
        Assert.That(found.Zip(plain, (x, y) => Math.Abs(x - y)).Max(), Is.GreaterThan(1e-3), "it adds something");

        void Write(double[] values)
        {
            var start = 0;
            foreach (var parameter in run.Adapter.Parameters)
            {
                var count = (int)parameter.Value.Shape.Count;
                parameter.Value.Write(values.AsSpan(start, count));
                start += count;
            }
        }
    }

    [Test]
    public void A_recovery_row_is_prompt_harmful_beginning_and_refusal_and_learns_the_refusal_alone()
    {
        static PreferenceSide Side(int[] answer) => PreferenceSide.LastAnswer(TokenizedExample.FromLabels(
            "row", default, [1, 10, 11, .. answer], [.. Enumerable.Range(0, 3 + answer.Length).Select(i => i >= 3)]));
        PreferenceExample[] pairs =
            [.. Enumerable.Range(0, 40).Select(_ => PreferenceExample.Pair(Side([20, 21, 2]), Side([30, 31, 32, 33, 2])))];
        var rows = Recovery.Rows(pairs, new(Prefix: 3, Plain: 0.5), maxLength: 64, seed: 3);
        var lengths = rows.Select(row => row.Length - 6).ToList();
        Assert.Multiple(() =>
        {
            foreach (var (row, k) in rows.Zip(lengths))
            {
                int[] prefix = [30, 31, 32];
                Assert.That(row.Tokens, Is.EqualTo((int[])[1, 10, 11, .. prefix[..k], 20, 21, 2]));
                Assert.That(row.Targets.Where(t => t >= 0), Is.EqualTo(new[] { 20, 21, 2 }));
            }

            Assert.That(lengths.Distinct(), Is.EquivalentTo(new[] { 0, 1, 2, 3 }));
            Assert.That(lengths.Count(k => k == 0), Is.InRange(10, 30), "half of them, as drawn");
            Assert.That(
                Recovery.Rows(pairs, new(3), 7, seed: 3).Max(row => row.Length), Is.EqualTo(7), "cut to fit");
        });
    }

    private static Pass Pass(Workspace workspace, TokenizedExample row)
    {
        var packed = PackedBatch.Of(row);
        var pass = workspace.For(packed.Length);
        pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
        return pass;
    }

    private static void Move(LoraAdapter adapter, double scale)
    {
        foreach (var pair in adapter.Pairs)
        {
            pair.B.Value.Write(TinyLlama.Normal((int)pair.B.Value.Shape.Count, seed: pair.Index, scale));
        }
    }
}
