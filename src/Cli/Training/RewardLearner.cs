using SafeLlama.Training;

namespace SafeLlama.Cli;

/// <summary>What <c>judge train</c> trains: a backbone with an adapter and a head, before and after training.</summary>
internal abstract class RewardLearner : IDisposable
{
    /// <summary>Which end of a conversation that is too long is left out.</summary>
    public abstract string LeftOutEnd { get; }

    /// <summary>The longest conversation, in tokens.</summary>
    public abstract int MaxTokens { get; }

    /// <summary>A conversation as token ids, and whether it was cut.</summary>
    public abstract (int[] Tokens, bool Cut) Encode(string conversation);

    /// <summary>
    /// A conversation of a preference as token ids, and whether it was cut; null where its last turn is not the
    /// assistant's and the model reads that turn by itself.
    /// </summary>
    public virtual (int[] Tokens, bool Cut)? EncodePreference(string conversation) => Encode(conversation);

    public abstract double Score(int[] tokens);

    /// <param name="maxRows">The most tokens of one batch.</param>
    public abstract IRewardBackbone ForTraining(int maxRows);

    /// <summary>Writes adapter and head.</summary>
    public abstract void Save(string folder);

    public abstract void Dispose();
}
