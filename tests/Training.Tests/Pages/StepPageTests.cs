using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Pages;

/// <summary>The code on docs/07-a-training-step.md.</summary>
public sealed class StepPageTests
{
    private const double MaxNorm = 1;

    [Test]
    public void A_step_by_hand_is_the_trainers()
    {
        using var backend = new CpuBackend(1);
        using var byHand = new TinyRun(backend);
        using var run = new TinyRun(backend);
        var microBatches = BatchPacker.Step(TinyRun.Rows(4), 2);
        using var workspace = new Workspace(byHand.Model, 64, forBackward: true);
        var (model, adapter, targets) = (byHand.Model, byHand.Adapter, microBatches.Sum(b => b.TargetCount));
        using var arena = new Arena(backend, "page");
        var (loss, normSquared) = (
            arena.Take(new(1), DType.Float64, "loss"), arena.Take(new(1), DType.Float64, "norm"));
        var moments = adapter.Parameters.ToDictionary(p => p, p => (
            First: arena.Take(p.Value.Shape, "m"), Second: arena.Take(p.Value.Shape, "v")));
        arena.Commit();

        // docs:07-a-training-step:accumulate
        foreach (var packed in microBatches)
        {
            var pass = workspace.For(packed.Length);                     // N rows, no padding
            pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
            model.Forward(pass);                                         // → the residual stream [N, D]
            model.Loss(pass, 1.0 / targets, loss);                       // Σ −log p, and ∂loss/∂stream
            model.Backward(pass);                                        // adds to the gradient of every A and B
        }
        // end

        // docs:07-a-training-step:update
        foreach (var parameter in adapter.Parameters)
        {
            backend.Elementwise.SumOfSquares(parameter.Gradient, normSquared);   // never leaves the device
        }

        foreach (var parameter in adapter.Parameters)
        {
            var (m, v) = moments[parameter];
            var step = new AdamWStep(0.01, 0.9, 0.999, 1e-8, WeightDecay: 0, Step: 1, MaxNorm);
            backend.AdamW.Update(parameter.Value, parameter.Gradient, m, v, step, normSquared);
        }
        // end

        using var trainerSpace = new Workspace(run.Model, 64, forBackward: true);
        using var trainer = run.Trainer(trainerSpace);
        var report = trainer.Step(microBatches);
        Assert.That(loss.ReadDoubles()[0] / targets, Is.EqualTo(report.Loss).Within(1e-12));
        Assert.That(Math.Sqrt(normSquared.ReadDoubles()[0]), Is.EqualTo(report.GradientNorm));
        Assert.That(byHand.Values(), Is.EqualTo(run.Values()), "bit for bit");
    }

    [Test]
    public void The_first_update_is_the_learning_rate_itself()
    {
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "page");
        var (value, gradient) = (arena.Take(new(3), "value"), arena.Take(new(3), "gradient"));
        var (m, v, norm) = (
            arena.Take(new(3), "m"), arena.Take(new(3), "v"), arena.Take(new(1), DType.Float64, "norm"));
        arena.Commit();

        // docs:07-a-training-step:adamw
        gradient.Write([300.0, -0.02, 0]);
        var first = new AdamWStep(0.1, 0.9, 0.999, 1e-8, WeightDecay: 0, Step: 1, MaxNorm: 0);
        backend.AdamW.Update(value, gradient, m, v, first, norm);
        Assert.That(value.ReadDoubles(), Is.EqualTo(new[] { -0.1, 0.1, 0 }).Within(1e-6));   // sign, not size
        // end
    }

    [Test]
    public void Warm_up_begins_at_zero()
    {
        // docs:07-a-training-step:schedule
        var schedule = new LearningRateSchedule(ScheduleShape.Cosine, Peak: 1, WarmupSteps: 2, TotalSteps: 6);
        var rates = Enumerable.Range(0, 6).Select(schedule.At);
        Assert.That(rates, Is.EqualTo(new[] { 0, 0.5, 1, 0.853553, 0.5, 0.146447 }).Within(1e-6));
        // end
    }

    [Test]
    public void Which_rows_a_step_learns_follows_from_seed_and_step()
    {
        // docs:07-a-training-step:sampler
        var unbroken = new EpochSampler(count: 10, batchSize: 4, seed: 7);
        var steps = Enumerable.Range(0, 6).Select(step => string.Join(",", unbroken.Step(step))).ToList();
        var resumed = new EpochSampler(count: 10, batchSize: 4, seed: 7);
        Assert.That(string.Join(",", resumed.Step(4)), Is.EqualTo(steps[4]), "asked without the steps before");
        Assert.That(steps.Take(3).SelectMany(s => s.Split(',')), Is.Unique, "an epoch: every row once");
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("07-a-training-step.md");
}
