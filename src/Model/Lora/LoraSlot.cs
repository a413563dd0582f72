using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Where the update of one linear stands, and how it gets its memory.</summary>
/// <param name="Index">The pair's number in its adapter; it names the dropout stream.</param>
/// <param name="Module">The path of the linear it stands beside.</param>
/// <param name="Weight">[D_out, D_in] of that linear.</param>
/// <param name="Rank">r.</param>
/// <param name="Scale">s.</param>
/// <param name="Dropout">The share of the branch's input that training drops.</param>
/// <param name="Values">Values are taken from here, in fp32 (fp64 on the reference).</param>
/// <param name="Gradients">Gradients are taken from here.</param>
internal sealed record LoraSlot(
    int Index, string Module, Shape Weight, int Rank, double Scale, double Dropout, Arena Values, Arena Gradients)
{
    public Tensor Value(string name, Shape shape) => Values.Take(shape, Values.Backend.Accumulation, name);

    public Tensor Gradient(string name, Shape shape) =>
        Gradients.Take(shape, Gradients.Backend.Accumulation, "d " + name);

    /// <summary>A parameter with memory of its own, by the name it has in PEFT's file.</summary>
    /// <param name="part">Such as <c>lora_A.weight</c>.</param>
    public Parameter Take(string part, Shape shape)
    {
        var name = PeftFolder.Key(Module, part);
        return new(name, Value(name, shape), Gradient(name, shape), Decays: true);
    }
}
