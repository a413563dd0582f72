using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>Two answers to one conversation, as token ids.</summary>
/// <param name="Chosen">The better one.</param>
/// <param name="Rejected">The worse one.</param>
public sealed record RewardPair(int[] Chosen, int[] Rejected);

/// <summary>A conversation with its rating.</summary>
public sealed record RatedConversation(int[] Tokens, double Rating);

/// <summary>Trains the head of a reward model together with the backbone's adapter.</summary>
public sealed class RewardTrainer : IDisposable
{
    private readonly IRewardBackbone _backbone;
    private readonly LearningRateSchedule _schedule;
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly AdamWOptimizer _optimizer;
    private readonly GradientClipping _clipping;
    private readonly Arena _totals;
    private readonly Tensor _normSquared;
    private readonly Philox _dropout;

    /// <param name="backbone">The trained model; the trainer disposes it.</param>
    /// <param name="seed">Of the dropout.</param>
    public RewardTrainer(IRewardBackbone backbone, LearningRateSchedule schedule, long seed)
    {
        (_backbone, _schedule) = (backbone, schedule);
        _parameters = backbone.Parameters;
        _optimizer = new AdamWOptimizer(backbone.Backend, _parameters, new AdamWSettings());
        _clipping = new GradientClipping(backbone.Backend, 1);
        _totals = new Arena(backbone.Backend, "gradient norm");
        _normSquared = _totals.Take(new(1), DType.Float64, "norm_squared");
        _totals.Commit();
        _dropout = Philox.Stream(seed, "reward.dropout");
    }

    public int StepsDone { get; private set; }

    /// <summary>Trains on one batch of pairs; returns the loss before the step.</summary>
    /// <exception cref="SafeLlamaException">The loss is not finite.</exception>
    public double Step(IReadOnlyList<RewardPair> batch) => Step(
        [.. batch.SelectMany(p => (int[][])[p.Chosen, p.Rejected])], scores => RewardLoss.Pairs(scores));

    /// <summary>Trains on one batch of ratings; returns the loss before the step.</summary>
    /// <exception cref="SafeLlamaException">The loss is not finite.</exception>
    public double Step(IReadOnlyList<RatedConversation> batch) => Step(
        [.. batch.Select(r => r.Tokens)], scores => RewardLoss.Ratings(scores, [.. batch.Select(r => r.Rating)]));

    /// <summary>The loss of conversations, and its gradient in every parameter.</summary>
    public double Gradients(IReadOnlyList<int[]> conversations, Func<double[], (double, double[])> loss)
    {
        foreach (var parameter in _parameters)
        {
            parameter.Gradient.Clear();
        }

        var (value, dscores) = loss(_backbone.Forward(conversations, _dropout.Fork(StepsDone)));
        _backbone.Backward(dscores);
        return value;
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _totals.Dispose();
        _backbone.Dispose();
    }

    private double Step(IReadOnlyList<int[]> conversations, Func<double[], (double, double[])> loss)
    {
        var rate = _schedule.At(StepsDone);
        var value = Gradients(conversations, loss);
        if (!double.IsFinite(value))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Reward training: the loss of step {StepsDone + 1} is {value}. Lower the learning rate.");
        }

        _clipping.Measure(_parameters, _normSquared);
        if (!double.IsFinite(_normSquared.ReadDoubles()[0]))
        {
            // AdamW skips such an update silently.
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Reward training: the gradient of step {StepsDone + 1} is not finite. Lower the learning rate.");
        }

        _optimizer.Update(++StepsDone, rate, _clipping.MaxNorm, _normSquared);
        return value;
    }
}
