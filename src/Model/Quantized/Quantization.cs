using System.Text.Json.Nodes;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The <c>quantization_config</c> of a checkpoint whose linears are quantized by bitsandbytes.</summary>
/// <param name="As">Its linears: <see cref="LoadAs.Nf4"/> or <see cref="LoadAs.Int8"/>.</param>
/// <param name="Nested">Whether NF4's absmax values are quantized once more.</param>
/// <param name="Threshold">Of int8: the magnitude from which columns of activations are kept apart; 0 for none.
/// </param>
/// <param name="ComputeType">What it was made to be computed in, such as <c>bfloat16</c>.</param>
public sealed record Quantization(LoadAs As, bool Nested, double Threshold, string ComputeType)
{
    /// <summary>The key of <c>config.json</c>.</summary>
    public const string Key = "quantization_config";

    /// <summary>What NF4 weights were made to be computed in.</summary>
    public const string ComputeKey = "bnb_4bit_compute_dtype";

    /// <summary>Where activations are kept apart, unless said otherwise.</summary>
    public const double UsualThreshold = 6;

    /// <exception cref="Common.SafeLlamaException">It is none that is read.</exception>
    internal static Quantization? Read(ConfigFields config)
    {
        if (config.Json[Key] is not JsonObject json)
        {
            return null;
        }

        var read = new ConfigFields(config.File, json);
        if (read.Text("quant_method") is not "bitsandbytes")
        {
            throw config.Error(
                Key, $"has \"quant_method\" {json["quant_method"]?.ToJsonString() ?? "missing"}, expected weights in "
                + "F32, F16 or BF16, or \"bitsandbytes\"");
        }

        var (four, eight) = (read.Flag("load_in_4bit"), read.Flag("load_in_8bit"));
        if (four == eight)
        {
            throw config.Error(Key, "is of bitsandbytes, expected one of \"load_in_4bit\" and \"load_in_8bit\"");
        }

        if (four && read.Text("bnb_4bit_quant_type") is var type and not "nf4")
        {
            throw config.Error(Key, $"has \"bnb_4bit_quant_type\" \"{type ?? "fp4"}\", expected \"nf4\"");
        }

        if (four && read.Text("bnb_4bit_quant_storage") is var storage and not (null or "uint8"))
        {
            throw config.Error(Key, $"has \"bnb_4bit_quant_storage\" \"{storage}\", expected \"uint8\"");
        }

        return new(
            four ? LoadAs.Nf4 : LoadAs.Int8, four && read.Flag("bnb_4bit_use_double_quant"),
            eight ? read.Number("llm_int8_threshold", UsualThreshold) : 0,
            four ? read.Text(ComputeKey) ?? "float32" : "float16");
    }

    /// <summary>What a backend computes in, as <see cref="ComputeKey"/> names it: the type of products'
    /// operands.</summary>
    public static string ComputeTypeOf(IBackend backend) => backend.Operands switch
    {
        DType.BFloat16 => "bfloat16",
        DType.Float64 => "float64",
        _ => "float32",
    };

    /// <summary>The key's value, as transformers writes it.</summary>
    public static JsonObject Write(LoadForm form) => new()
    {
        ["_load_in_4bit"] = form.As == LoadAs.Nf4,
        ["_load_in_8bit"] = form.As != LoadAs.Nf4,
        [ComputeKey] = "float32",
        ["bnb_4bit_quant_storage"] = "uint8",
        ["bnb_4bit_quant_type"] = form.As == LoadAs.Nf4 ? "nf4" : "fp4",
        ["bnb_4bit_use_double_quant"] = form.Nested,
        ["llm_int8_enable_fp32_cpu_offload"] = false,
        ["llm_int8_has_fp16_weight"] = false,
        ["llm_int8_skip_modules"] = null,
        ["llm_int8_threshold"] = UsualThreshold,
        ["load_in_4bit"] = form.As == LoadAs.Nf4,
        ["load_in_8bit"] = form.As != LoadAs.Nf4,
        ["quant_method"] = "bitsandbytes",
    };
}
