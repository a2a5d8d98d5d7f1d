"""Which three letters follow one another in English words, to tell misspelt noise from words.

A table of the three-letter sequences, with ``_`` for the bounds of a word, of the 5,500 words of
this project's own English: seed tasks, documentation, tests and a list of school words with rare
spellings. Of 1,491 other words of real instructions 12 % have a sequence that it lacks, of the
same words with their letters shuffled 93 %. One look costs the length of the word.

Tried and dropped: only sequences of two words or more, of 4,165 words (530 of 25,095 real
instructions look made up, with this table 3).
"""

_FOLLOWERS = (
    "_aabcdefghilmnpqrstuvwx _baeiloruy _cadehilmoprsuy _daefimoruwy _eacdfgijlmnopqrstuvxy "
    "_faeilmnorstu _gaeghilnopruyz _haeiotuy _icdfglmnoprst _jaeiosu _kaeghimnouw _ladeilosuy "
    "_maeilmosuy _naeiopstu _oabcdfiklmnprstuvwx _pacdehilnorsuy _qlu _raehiosu "
    "_sacdehiklmnopqstuvwy _tacehioruwy _ulmnprstv _vaeios _waeghiorw _xsy _yaeio _zeilosu "
    "aar ab_abeilorsuy acacehiklqrtuy ad_adeijlmnopqrstuvwy aeim af_efrt ag_aeghilnoprsu "
    "ah_aer ai_dgklmnorst ajao ak_efilrs al_acefgiklmoprstuvwy am_abeimopsuw "
    "an_acdegiknoqstuwxyz aohr ap_aehioprst aqu ar_abcdefgiklmnopqrstuvy as_acehikmopstuy "
    "at_abcehilmorstuy au_dglnrst avaeioy aw_abeiknsy ax_aeioy ay_abeilmos azaiz "
    "ba_bcdgklmnrstz bbeilry be_acdefghilnrsty bgo biacdegklnort bje blaeiouy bmi "
    "boabdilnorstuvwxy bpa braeiou bs_eit bt_aflrs bubcdfgilnrstyz bvi by_et ca_bcdklmnprstu "
    "ccehiou cd_o ce_abdehilmnprs ch_aeilmnorstuy ci_abdefilmnoprstuv ck_acegilmnopstuw "
    "cl_aeiou cm_ cni coabdefghilmnoprstuv cp_u cqu craeiouy cs_tv ct_aeilnorsu cuabcelmprstu "
    "cy_bcp da_bceijlmnprstuwyz dbaoy dcah dd_eilrs de_abcdefglmnopqrstvx df_ai dgei dho "
    "diabcdefglmnoprstuvx djeu dke dlaeioy dmaio dn_e do_ceglmnortuvwz dpahlo dqu draeiouy "
    "ds_ht dth duabcelmnprs dvaei dwaeior dy_en ea_bcdfgklmnprstuv eb_aeoprstu ecadehiklortuy "
    "ed_abdegilnorstuy ee_cdfiklmnprstvz ef_aefilortu egaegimorsuy ehaeio eiabglnoprstuv eje "
    "ek_dels el_abcdefiloprstvy em_abeimnopsuy en_acdeghijlmnorstuv eo_fjlmnprstuw "
    "ep_aehiloprstu eq_u er_abcdefghiklmnoprstuvwy es_acdehikopstu et_abcehiorstuwy eudelmrst "
    "evaeio ew_acehilors ex_acehipt ey_beosw eze fa_bchiklmrstuvy fe_abcdelmnrstuvw ff_eilos "
    "fibcdefglnrstvx flaeiouy fmt fn_ foacglnorux fraeiouy fs_eiy ft_ehlpswy fuelnrstz fwa "
    "fy_ ga_bgilmnprtuv gca gdo ge_abdlmnorstx gg_aelsu gh_abelostu giabcefglmnorstvz "
    "glaeiouy gme gn_aeios go_aeilmnortv gpait graeiouy gs_ gth guaefilmnors gy_m gzai "
    "ha_bdfhiklmnprstuvw hbor hdar he_acdefilmnorstvxy hfu hho hibcdefgklmnoprstv hlioy "
    "hm_aeo hnio ho_bcdeilmnoprstuvw hp_ hraeio hs_ ht_aefhlmnst hubcdgmnrst hwa hy_bdglmpst "
    "ia_bglmnrst ib_egilortu ic_aehiklnorstuy id_adegilnstu ie_cdflnrstvw if_aefiotuy "
    "ig_aceghinosuz ii_n ikeiu il_adeiklmnostuy im_abegimpsu in_abcdefghijklnopstuvxy "
    "io_dghlmnrstux ip_aefilmpst iq_u ir_acdeilmorstuy is_acefghijklmnopsty it_acefhilmorstuy "
    "iums iv_aei iwi ix_et iya iz_aez jacgmnrsvz jeaclow ji_st jo_bikruy jso judilmnprs "
    "kagnprty kcah kda ke_delnprstwy kfa kg_r kha ki_dilnprstw kke kliy km_a kneio ko_afu kpo "
    "kro ks_htu ktao ku_blp kwa ky_ la_bcdgikmnpqrstuvwxy lb_a lcaiou ld_efhiors "
    "le_abcdefgimnoprstuvwxy lf_iortuw lgaeo lho li_abcdefgkmnopqstuvz lk_eis ll_abefimostuy "
    "lm_eios ln_e lo_acdgmnoprstuvwy lp_afhis lrey ls_aeio lt_aehisyz luabcdegiklmnrst lvei "
    "lwa ly_imnrs ma_bcdgijklmnprstxyz mb_abeilors mc_h me_abdeglmnorstw mfo mg_ "
    "miacdglnrstuxz ml_e mm_aeiouy mn_as mo_bcdijklmnorstuvw mp_aehilorstuy ms_egt mt_h "
    "muclmnst mw_ my_s na_bcdgiklmnprstuv nbeo nc_aehilorstuy nd_abefiklmoprsuw "
    "ne_abcdefgilmnoprstuvwxy nfaeilo ng_adeilorstu nheo ni_acefglmnopqstvz njeou nk_einsy "
    "nlaeioy nmae nneiouy no_bcefilmnoqrstuvw npalmu nqu nreio ns_acefhilmoptuw "
    "nt_abehilmorsuy nu_acefilmorstu nvaeioy nwahi nx_i ny_bhmotw nzae oacdklmnrstv "
    "ob_abeijlostv oc_acehikorstu od_abcdeiosuwy oe_dfimsv of_afit og_aehinorsuy oh_et "
    "oicdlnrst ojei ok_ceiks ol_acdefgilostuvy om_abefimopsy on_acdefgijklmnoqstvyz "
    "oo_dfklmnprst op_abcehilmoprstuy oqa or_abcdegiklmnoprstuwy os_aceimopqstuy "
    "ot_abehilmorsty ou_bcdglnpqrst ovei ow_abdehilnst ox_egiy oy_aefms oze "
    "pa_bcdgilmnpqrstuvy pbaeo pcos pd_a pe_acdeflnoprst pfiu pgr ph_aeioprsy "
    "pi_acdegklnoprstxz plaeiouy pm_e pne po_cdegiklnoprstuw pp_aeilory praeio ps_aehiuy "
    "pt_aehiosuy pu_bdlmnprstz py_adrt qa_ ql_o quaeio ra_bcdfghilmnoprstuvwy rb_aeilos "
    "rcehilu rd_abeilnprsuvwy re_abcdefghijlmnopqrstuvwy rf_aeilou rgaeioprsuy rhaiuy "
    "ri_abcdefgklmnopstuvxyz rk_aeilmosu rl_adfiosy rm_aceilostu rn_aeiost "
    "ro_abcdefgijklmnoprstuvwxz rp_aehlorsu rqu rr_aeiosuy rs_acdehiotuy rt_aeghilmoprsuyz "
    "ruabcdefilmnpst rvaeio rwai ry_bdioptw sa_bcdfgilmnrstuvwxy sba scaehiloru sd_ap "
    "se_abcdefghlmnpqrstuvw sfeou sg_u sh_aefimortuw sibcdefglmnostuvxz sjo sk_aeistuy "
    "slaeioy sm_aceio sn_aeio so_acdfilmnoprsuv sp_abehilor sqlu sro ss_aefhilmnopruwy "
    "st_acdehilmorsuy su_abcdefgilmnprs sv_g swaeiou sy_clmns ta_bcdfghiklmnprstuxy tbaor "
    "tcahop td_o te_abcdefgilmnoprstvwx tf_au tga th_abdefhilmorsuwy ti_abcdefglmnopqrstvz "
    "tl_aeiy tmaelo tne to_abcdefgklmnoprstuvwy tp_hsu tr_aeilouy ts_aeitu tt_aeilopry "
    "tuabdelmnprst twaeio ty_flpr tz_ ua_cdgilnrsty ub_abejlmst ucacehiklotu ud_adegiosy "
    "ue_abdeglnrstu uf_af ug_aeghsu ui_cdelnrstvz uke ul_abdefhiklnotuy um_abeimnopsu "
    "un_abcdefgiklmnopqrstuw uotu up_abdeghiloprst uqu ur_abcdefgilnoprstvy us_abcdehiklmstuy "
    "ut_acdefhiloprstuy uum uvi uy_eis uzz va_bcgilnprst ve_acdghilmnrsy vg_ viabcdelnorstv "
    "vocilrtuw vs_ vy_ wabgiklmnprstvy wbeo wco wd_e we_abdeilnrstv wge whaeioy "
    "wi_cdeflmnrstz wk_iw wl_eiy wn_elsw wo_klmnoru wraeio ws_eilp wtah wum ww_w wye xacmt "
    "xcehilu xecdlnrs xgl xhai xideimost xolp xpaeilor xs_ xt_behrsuy xy_glm ya_cklr ybaeor "
    "ychl ydar ye_adelrst yforu yger yho yien yleilo ym_beinop ynacotx yognru ypehiort yraei "
    "ys_eit yteh ywaho za_agrst ze_bdenrs zignp zlei zono zst zuc zy_ zz_aly"
)


def tabulate() -> frozenset[str]:
    """Return the sequences that English words have."""
    return frozenset(group[:2] + last for group in _FOLLOWERS.split() for last in group[2:])


_KNOWN = tabulate()


def count_odd(word: str) -> int:
    """Count the three-letter sequences of a lower-case word that no English word has."""
    bounded = f"_{word}_"
    return sum(bounded[at : at + 3] not in _KNOWN for at in range(len(word)))
