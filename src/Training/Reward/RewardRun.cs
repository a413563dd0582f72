using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>Trains a reward model on rows: the split, the order, the steps.</summary>
/// <param name="request">How it learns.</param>
/// <param name="backbone">The trained model, for batches of at most so many tokens.</param>
/// <param name="note">Receives a line for each step.</param>
public sealed class RewardRun(RewardRequest request, Func<int, IRewardBackbone> backbone, Action<string> note)
{
    /// <summary>Steps over which the learning rate rises, where there are as many.</summary>
    private const int Warmup = 10;

    /// <summary>Learns from pairs.</summary>
    /// <returns>The pairs held out, and how many were learned.</returns>
    /// <exception cref="SafeLlamaException">No row is left to learn or to test, or a step was not finite.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public (IReadOnlyList<RewardPair> HeldOut, int Trained) Learn(
        IReadOnlyList<RewardPair> pairs, CancellationToken stop) =>
        Learn(pairs, p => p.Chosen.Length + p.Rejected.Length, (trainer, batch) => trainer.Step(batch), stop);

    /// <summary>Learns from ratings.</summary>
    /// <returns>The ratings held out, and how many were learned.</returns>
    /// <exception cref="SafeLlamaException">No row is left to learn or to test, or a step was not finite.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public (IReadOnlyList<RatedConversation> HeldOut, int Trained) Learn(
        IReadOnlyList<RatedConversation> ratings, CancellationToken stop) =>
        Learn(ratings, r => r.Tokens.Length, (trainer, batch) => trainer.Step(batch), stop);

    private (IReadOnlyList<T> HeldOut, int Trained) Learn<T>(
        IReadOnlyList<T> rows, Func<T, int> tokens, Func<RewardTrainer, IReadOnlyList<T>, double> step,
        CancellationToken stop)
    {
        var (train, held) = Split(rows);
        var order = Enumerable.Range(0, request.Epochs)
            .SelectMany(e => Philox.Stream(request.Seed, "reward.order", e).Permutation(train.Count))
            .Select(i => train[i]);
        T[][] batches = [.. order.Chunk(request.BatchSize)];
        var schedule = new LearningRateSchedule(
            ScheduleShape.Linear, request.LearningRate, Math.Min(Warmup, batches.Length - 1), batches.Length);
        schedule.Validate();
        using var trainer = new RewardTrainer(backbone(batches.Max(b => b.Sum(tokens))), schedule, request.Seed);
        foreach (var batch in batches)
        {
            stop.ThrowIfCancellationRequested();
            var loss = step(trainer, batch);
            note($"step {trainer.StepsDone}/{batches.Length}  loss {loss:0.0000}");
        }

        return (held, train.Count);
    }

    private (IReadOnlyList<T> Train, IReadOnlyList<T> HeldOut) Split<T>(IReadOnlyList<T> rows)
    {
        var order = Philox.Stream(request.Seed, "reward.split").Permutation(rows.Count);
        var used = Math.Min(rows.Count, request.Limit ?? rows.Count);
        var held = (int)Math.Round(used * request.Validation);
        return held >= 1 && held < used
            ? ([.. order[held..used].Select(i => rows[i])], [.. order[..held].Select(i => rows[i])])
            : throw SafeLlamaException.Usage(
                $"`{nameof(request.Validation)}` {request.Validation}: leaves {used - held} of {used} rows to train on "
                + $"and {held} to test; both need one.");
    }
}
