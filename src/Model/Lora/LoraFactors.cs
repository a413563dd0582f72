namespace SafeLlama.Model;

/// <summary>The update of one linear: ΔW = s · B A.</summary>
/// <param name="Index">The pair's number in its adapter; it names the dropout stream.</param>
/// <param name="Module">The path of the linear it stands beside.</param>
/// <param name="A">[r, D_in], drawn.</param>
/// <param name="B">[D_out, r], zero at the start.</param>
/// <param name="Scale">s.</param>
/// <param name="Dropout">The share of the branch's input that training drops.</param>
public sealed record LoraFactors(int Index, string Module, Parameter A, Parameter B, double Scale, double Dropout)
{
    public int Rank => A.Value.Rows;
}
