using SafeLlama.Common;

namespace SafeLlama.Serving;

/// <summary>How much an engine takes on.</summary>
public sealed record EngineSettings
{
    /// <summary>Sequences that grow side by side; each has a part of the key/value cache.</summary>
    public int Slots { get; init; } = 8;

    /// <summary>Sequences that may wait for a slot; more are turned away.</summary>
    public int Queue { get; init; } = 256;

    /// <summary>The most answers that one request may ask for: all slots and half of the queue.</summary>
    public int MostOfOneRequest => Slots + ((Queue + 1) / 2);

    /// <summary>The most tokens of a prompt; 0 for what the model was opened for, less one for an answer.</summary>
    public int MaxPrompt { get; init; }

    /// <summary>The most tokens of an answer.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public void Validate()
    {
        static void Require(bool fine, string setting, int value, string expected)
        {
            if (!fine)
            {
                throw SafeLlamaException.Usage($"`{setting}` {value}: expected {expected}.");
            }
        }

        Require(Slots is >= 1 and <= 4096, nameof(Slots), Slots, "1 to 4096");
        Require(Queue >= 1, nameof(Queue), Queue, "at least 1");
        Require(MaxPrompt >= 0, nameof(MaxPrompt), MaxPrompt, "0 (what the model was opened for) or more tokens");
        Require(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "at least 1 token");
    }
}
