using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>quantize</c> can be told.</summary>
internal sealed class QuantizeOptions : OptionSet<QuantizeOptions.Request>
{
    public QuantizeOptions()
    {
        Add(nameof(Request.Model), "The model folder in Hugging Face layout, its weights in F32, F16 or BF16.", "DIR",
            required: true);
        Add(nameof(Request.To),
            "What its linears become: nf4, 4 bits in blocks of 64, or int8, a byte with one scale a row.",
            required: true, choices: ["nf4", "int8"]);
        Add(nameof(Request.Nested), "With --to nf4: quantize the absmax values once more, to a byte each.");
        Add(nameof(Request.Out), "The new model folder. A folder that is not empty is refused.", "DIR", required: true);
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Model { get; init; } = "";
        public LoadAs To { get; init; }
        public bool Nested { get; init; }
        public string Out { get; init; } = "";
        public bool Json { get; init; }
    }
}
