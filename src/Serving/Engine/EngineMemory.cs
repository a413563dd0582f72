using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Serving;

/// <summary>The memory an engine needs, before any of it is allocated.</summary>
public static class EngineMemory
{
    /// <param name="session">Opened; its weights are mapped, and read as they are used.</param>
    /// <param name="folder">The model's.</param>
    /// <param name="settings">Slots and prompts.</param>
    public static MemoryPlan Plan(LlamaSession session, string folder, EngineSettings settings)
    {
        var length = session.Model.MaxLength;
        var prompt = settings.MaxPrompt > 0 ? Math.Min(settings.MaxPrompt, length) : length;
        var (cache, work) = DecodingBatch.BytesFor(session.Model, settings.Slots, prompt, length);
        return new([
            new("the program", MemoryPlan.ProgramBytes),
            new("weights and adapters", LlamaWeights.BytesOf(folder)
                + session.Model.Choices.SelectMany(c => c.Parameters).Sum(p => p.Value.ByteCount),
                "use a smaller model", "serve fewer with `Adapter`"),
            new($"the key/value cache of {settings.Slots} slots of {length} tokens", cache,
                "lower `Slots`", "lower `MaxLength`"),
            new($"reading prompts of up to {prompt} tokens", work, "lower `MaxPrompt`"),
        ]);
    }
}
